"""What happened in the last 24 hours, from the rollups: calls, errors and times, in all and by endpoint."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from endpoints.figures import Figures, by_endpoint
from endpoints.rollups import HOUR
from endpoints.spread import add

HOURS = 24
_KEPT_SECONDS = 15.0


@dataclass(slots=True)
class Activity(Figures):
    """Calls of a day. `hours` has one `[calls, failed]` for each hour, the oldest first; `failed` are answers from 500."""

    hours: list[list[int]] = field(default_factory=lambda: [[0, 0] for _ in range(HOURS)])

    def note(self, hour: int, figures: Figures) -> None:
        """Add an hour's figures."""
        self.calls += figures.calls
        self.failed += figures.failed
        self.refused += figures.refused
        self.limited += figures.limited
        self.total_us += figures.total_us
        self.slowest_us = max(self.slowest_us, figures.slowest_us)
        add(self.spread, figures.spread)
        self.hours[hour][0] += figures.calls
        self.hours[hour][1] += figures.failed

    @property
    def error_share(self) -> float:
        """Failed calls of all calls, 0 to 1."""
        return self.error_rate or 0.0

    @property
    def bars(self) -> list[dict[str, float]]:
        """The hours as bars of a picture 96 wide and 20 high: `{"x", "y", "height", "failed"}`."""
        most = max((calls for calls, _ in self.hours), default=0) or 1
        return [
            {"x": hour * 4, "y": 20 - height, "height": height, "failed": round(height * failed / calls, 1)}
            for hour, (calls, failed) in enumerate(self.hours)
            if calls
            for height in [max(2.0, round(20 * calls / most, 1))]
        ]


@dataclass(slots=True)
class Day:
    """A workspace's day, in all and by endpoint id."""

    total: Activity
    by_endpoint: dict[int, Activity]

    def slowest(self, known: Iterable[int], count: int = 5) -> Sequence[tuple[int, Activity]]:
        """The endpoints among `known` with the highest p95, slowest first."""
        found = [(pk, self.by_endpoint[pk]) for pk in known if pk in self.by_endpoint]
        return sorted(found, key=lambda one: -(one[1].p95_ms or 0))[:count]


_held: dict[int | None, tuple[float, Day]] = {}


def last_day(workspace_id: int | None = None, *, fresh: bool = False) -> Day:
    """The last 24 hours of a workspace (None: of all), at most a few seconds old."""
    now = time.time()
    held = _held.get(workspace_id)
    if held is not None and now - held[0] < _KEPT_SECONDS and not fresh:
        return held[1]
    day = _read(workspace_id, int(now))
    if len(_held) > 64:
        _held.clear()
    _held[workspace_id] = (now, day)
    return day


def _read(workspace_id: int | None, now: int) -> Day:
    """This hour and the 23 before it."""
    since = (now // HOUR - HOURS + 1) * HOUR
    day = Day(Activity(), {})
    for endpoint_id, started_at, figures in by_endpoint(workspace_id, HOUR, since, since + HOURS * HOUR):
        hour = (started_at - since) // HOUR
        day.total.note(hour, figures)
        day.by_endpoint.setdefault(endpoint_id, Activity()).note(hour, figures)
    return day
