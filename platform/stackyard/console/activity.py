"""What happened in the last 24 hours, from the request history: calls, errors and times, in all and by endpoint."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from endpoints.models import HistoryEntry

HOURS = 24
NEWEST = 20_000
"""At most so many of the newest calls are looked at, so that a busy installation's home page stays quick."""
_KEPT_SECONDS = 15.0
_HOUR_MS = 3_600_000


@dataclass(slots=True)
class Activity:
    """Calls of a day. `hours` has one `(calls, failed)` for each hour, the oldest first; `failed` are answers from 500."""

    calls: int = 0
    failed: int = 0
    refused: int = 0
    hours: list[list[int]] = field(default_factory=lambda: [[0, 0] for _ in range(HOURS)])
    durations_us: list[int] = field(default_factory=list)

    def note(self, hour: int, status: int, duration_us: int) -> None:
        """Count one call."""
        self.calls += 1
        self.hours[hour][0] += 1
        self.durations_us.append(duration_us)
        if status >= 500:
            self.failed += 1
            self.hours[hour][1] += 1
        elif status >= 400:
            self.refused += 1

    @property
    def error_share(self) -> float:
        """Failed calls of all calls, 0 to 1."""
        return self.failed / self.calls if self.calls else 0.0

    @property
    def p95_ms(self) -> float:
        """Milliseconds in which 95 of 100 calls were answered (nearest rank)."""
        if not self.durations_us:
            return 0.0
        ranked = sorted(self.durations_us)
        return ranked[max(0, -(-len(ranked) * 95 // 100) - 1)] / 1000

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
    """A workspace's day, in all and by endpoint id. `is_cut` when there were more calls than were looked at."""

    total: Activity
    by_endpoint: dict[int, Activity]
    is_cut: bool

    def slowest(self, known: Iterable[int], count: int = 5) -> Sequence[tuple[int, Activity]]:
        """The endpoints among `known` with the highest p95, slowest first."""
        found = [(pk, self.by_endpoint[pk]) for pk in known if pk in self.by_endpoint]
        return sorted(found, key=lambda one: -one[1].p95_ms)[:count]


_held: dict[int | None, tuple[float, Day]] = {}


def last_day(workspace_id: int | None = None, *, fresh: bool = False) -> Day:
    """The last 24 hours of a workspace (None: of all), at most a few seconds old."""
    now = time.time()
    held = _held.get(workspace_id)
    if held is not None and now - held[0] < _KEPT_SECONDS and not fresh:
        return held[1]
    day = _read(workspace_id, int(now * 1000))
    if len(_held) > 64:
        _held.clear()
    _held[workspace_id] = (now, day)
    return day


def _read(workspace_id: int | None, now_ms: int) -> Day:
    since = now_ms - HOURS * _HOUR_MS
    entries = HistoryEntry.objects.order_by("-id")
    if workspace_id is not None:
        entries = entries.filter(workspace_id=workspace_id)
    columns = entries.values_list("endpoint_id", "created_at", "status", "duration_us")
    day = Day(Activity(), {}, False)
    looked_at = 0
    for endpoint_id, created_at, status, duration_us in columns[:NEWEST]:
        looked_at += 1
        # Ids ascend with time, but for writers that overtake each other by a moment.
        if created_at < since:
            break
        hour = min(HOURS - 1, (created_at - since) // _HOUR_MS)
        day.total.note(hour, status, duration_us)
        day.by_endpoint.setdefault(endpoint_id, Activity()).note(hour, status, duration_us)
    day.is_cut = looked_at == NEWEST
    return day
