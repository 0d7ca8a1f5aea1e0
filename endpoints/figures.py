"""Reading rollups: response times, errors and throughput over a range, for a workspace, an endpoint or all."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Q, QuerySet, Sum

from .models import ErrorGroup, Rollup
from .rollups import DAY, HOUR, MINUTE, WHOLE, Cell
from .spread import quantiles_ms, unpacked

QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Range:
    """A stretch of time up to now: rows of `step_seconds` are put together to points of `point_seconds`."""

    name: str
    seconds: int
    step_seconds: int
    point_seconds: int


RANGES: Mapping[str, Range] = {
    one.name: one
    for one in (
        Range("1h", HOUR, MINUTE, MINUTE),
        Range("6h", 6 * HOUR, MINUTE, 5 * MINUTE),
        Range("24h", DAY, MINUTE, 15 * MINUTE),
        Range("7d", 7 * DAY, HOUR, 2 * HOUR),
        Range("30d", 30 * DAY, HOUR, 6 * HOUR),
        Range("1y", 364 * DAY, DAY, 4 * DAY),
    )
}


@dataclass(slots=True)
class Figures(Cell):
    """What happened in a stretch of time: rows of the rollups, added up."""

    @property
    def error_rate(self) -> float | None:
        """Failed calls of all, 0 to 1; None without calls."""
        return self.failed / self.calls if self.calls else None

    def quantiles_ms(self) -> list[float | None]:
        """p50, p95 and p99 in milliseconds, each off by at most `spread.ERROR_BOUND`, and never above the slowest call."""
        slowest = self.slowest_us / 1000
        return [None if one is None else min(one, slowest) for one in quantiles_ms(self.spread, QUANTILES)]

    @property
    def p95_ms(self) -> float | None:
        """Milliseconds that 95 of 100 calls took at most; None without calls."""
        return self.quantiles_ms()[1]

    def take(self, row: Row) -> None:
        """Add a row's counts."""
        _, _, calls, refused, failed, limited, total_us, slowest_us, spread = row
        self.merge(Cell(calls, refused, failed, limited, total_us, slowest_us, unpacked(spread)))


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a chart, from `at` (epoch seconds)."""

    at: int
    figures: Figures


_COUNTS = ("calls", "refused", "failed", "limited", "total_us", "slowest_us")
Row = tuple[int, int, int, int, int, int, int, int, bytes]


def _rows(workspace_id: int | None, endpoint: Q, step: int, since: int, until: int) -> QuerySet[Rollup, Row]:
    found = Rollup.objects.filter(endpoint, step_seconds=step, started_at__gte=since, started_at__lt=until)
    if workspace_id is not None:
        found = found.filter(workspace_id=workspace_id)
    return found.values_list("endpoint_id", "started_at", *_COUNTS, "spread")  # type: ignore[return-value]


def points(
    asked: Range, workspace_id: int | None, endpoint_id: int = WHOLE, now: float | None = None
) -> list[Point]:
    """The points of a range, oldest first, those without calls too. Without a workspace: of the installation."""
    now = time.time() if now is None else now
    width = asked.point_seconds
    last = int(now) // width * width
    first = last - asked.seconds + width
    found = [Point(at, Figures()) for at in range(first, last + 1, width)]
    for row in _rows(
        workspace_id, Q(endpoint_id=endpoint_id), asked.step_seconds, first, last + width
    ).iterator():
        found[(row[1] - first) // width].figures.take(row)
    return found


def total(of: Sequence[Point]) -> Figures:
    """All points together."""
    whole = Figures()
    for point in of:
        whole.merge(point.figures)
    return whole


def by_endpoint(
    workspace_id: int | None, step: int, since: int, until: int
) -> Iterator[tuple[int, int, Figures]]:
    """Endpoint id, start (epoch seconds) and figures of each row of this step, in no order."""
    for row in _rows(workspace_id, ~Q(endpoint_id=WHOLE), step, since, until).iterator():
        figures = Figures()
        figures.take(row)
        yield row[0], row[1], figures


def endpoints_of(asked: Range, workspace_id: int | None, now: float | None = None) -> dict[int, Figures]:
    """What each endpoint did in a range; a range under a day by minutes, others by hours or days."""
    now = time.time() if now is None else now
    step = asked.step_seconds if asked.seconds <= HOUR else max(HOUR, asked.step_seconds)
    since = int(now - asked.seconds) // step * step
    found: dict[int, Figures] = {}
    for row in _rows(workspace_id, ~Q(endpoint_id=WHOLE), step, since, int(now) + 1).iterator():
        found.setdefault(row[0], Figures()).take(row)
    return found


def window(workspace_id: int, endpoint_id: int, seconds: int, now: float) -> Figures:
    """The figures of the last `seconds` up to the end of this minute."""
    until = int(now) // MINUTE * MINUTE + MINUTE
    figures = Figures()
    for row in _rows(workspace_id, Q(endpoint_id=endpoint_id), MINUTE, until - seconds, until).iterator():
        figures.take(row)
    return figures


@dataclass(frozen=True, slots=True)
class ErrorsOfAKind:
    """Errors with the same endpoint, status, code and line. `last_at` is in epoch milliseconds."""

    endpoint_id: int
    status: int
    code: str
    place: str
    calls: int
    last_at: int
    request_id: str


def error_groups(
    asked: Range,
    workspace_id: int | None,
    endpoint_id: int = WHOLE,
    count: int = 50,
    now: float | None = None,
) -> list[ErrorsOfAKind]:
    """The kinds of errors of a range, failures (5xx) first, then by how many; at most `count`."""
    now = time.time() if now is None else now
    found = ErrorGroup.objects.filter(started_at__gte=int(now - asked.seconds) // HOUR * HOUR)
    if workspace_id is not None:
        found = found.filter(workspace_id=workspace_id)
    if endpoint_id != WHOLE:
        found = found.filter(endpoint_id=endpoint_id)
    kinds = found.values("endpoint_id", "status", "code", "place")
    summed: Iterable[Mapping[str, Any]] = kinds.annotate(all=Sum("calls"), last=Max("last_at"))
    ranked = sorted(summed, key=lambda one: (one["status"] < 500, -one["all"]))[:count]
    return [_kind(found, one) for one in ranked]


def _kind(found: QuerySet[ErrorGroup], one: Mapping[str, Any]) -> ErrorsOfAKind:
    values: dict[str, Any] = {name: one[name] for name in ("endpoint_id", "status", "code", "place")}
    same = found.filter(**values, last_at=one["last"])
    request_id = same.values_list("request_id", flat=True).first() or ""
    return ErrorsOfAKind(**values, calls=one["all"], last_at=one["last"], request_id=request_id)
