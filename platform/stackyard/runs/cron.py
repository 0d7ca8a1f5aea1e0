"""Nominal times: when a schedule is due, by cron or every so many seconds.

Cron expressions are read by cronsim. Our rule for daylight saving, on top: a time that the clock skips runs once
when the gap is over, a time that the clock repeats runs once. An expression that runs every hour or more often
goes by elapsed time instead, so the repeated hour is not silent (reliability.md §3, rows 19 and 20).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from stackyard.core.errors import Problem

SHORTEST_SECONDS = 1
LONGEST_SECONDS = 366 * 86_400


def check_cron(expression: str) -> None:
    """Problem `INVALID_INPUT` for what is no cron expression of five parts, or one that never comes."""
    try:
        next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise Problem(
            "INVALID_INPUT",
            f'"{expression}" is not a cron expression: {error}.',
            suggestion='Five parts: minute, hour, day of month, month, day of week. "0 2 * * *" is daily at 2 o\'clock.',
        ) from None
    except StopIteration:
        raise Problem("INVALID_INPUT", f'"{expression}" never comes.') from None


def nominal_times(
    *, cron: str, every_seconds: int | None, timezone: str, anchor_at: datetime, after: datetime
) -> Iterator[datetime]:
    """The nominal times after a moment, in order and in UTC, without end."""
    if every_seconds:
        return _every(every_seconds, anchor_at, after)
    return _cron(cron, ZoneInfo(timezone), after)


def _every(seconds: int, anchor: datetime, after: datetime) -> Iterator[datetime]:
    step = timedelta(seconds=seconds)
    # An anchor in the future, set while the clock was ahead, only gives the rhythm.
    turns = (after - anchor) // step
    while True:
        moment = anchor + turns * step
        if moment > after:
            yield moment
        turns += 1


def _cron(expression: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    # From a little earlier: what is due in a gap or a repeated hour around `after` must come out in order.
    begin = (after - timedelta(hours=3)).astimezone(zone)
    last = after
    for local in CronSim(expression, begin):
        moment = local.astimezone(UTC)
        if moment > last:
            last = moment
            yield moment


def next_times(count: int, **schedule: object) -> list[datetime]:
    """The next `count` nominal times, for showing."""
    return list(islice(nominal_times(**schedule), count))  # type: ignore[arg-type]
