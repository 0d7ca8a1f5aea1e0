"""Schedules: each nominal time becomes exactly one run, however many schedulers tick and however often they restart.

The run carries its nominal time under a unique constraint and is made in the transaction that moves the schedule
on, by a conditional UPDATE; a second scheduler finds the schedule moved, or the run there. After the clock was ahead,
schedules wait for times far in the future: they are placed anew, and the times that had their runs too early have none again.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import Error, IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.core.principal import Principal

from . import states
from .cron import next_times, nominal_times
from .models import MissedTime, Run, Schedule
from .run_kind import RunKind

_log = logging.getLogger(__name__)
LATE_SECONDS = 60
"""A tick up to this late is on time; later ones were missed, and `catch_up` says what becomes of them."""
CAUGHT_UP = 24


def replace_schedules(workspace: Workspace, kind: str, target_id: int, wanted: list[dict[str, Any]]) -> None:
    """Make a target's schedules these: `{"cron" | "every_seconds", "timezone", "catch_up", "input"}` by position.

    One that is not changed keeps its place in time and its pause.
    """
    now = timezone.now()
    held = {s.position: s for s in Schedule.objects.filter(kind=kind, target_id=target_id)}
    for position, values in enumerate(wanted):
        schedule = held.pop(position, None)
        if schedule is None:
            schedule = Schedule(workspace=workspace, kind=kind, target_id=target_id, position=position)
        changed = any(
            getattr(schedule, key) != values.get(key) for key in ("cron", "every_seconds", "timezone")
        )
        for key in ("cron", "every_seconds", "timezone", "catch_up", "input"):
            setattr(schedule, key, values.get(key))
        if schedule.pk is None or changed:
            schedule.anchor_at = now
            schedule.next_at, schedule.placed_at = _after(schedule, now), now
        schedule.save()
    for schedule in held.values():
        schedule.delete()


def pause(schedule: Schedule, paused: bool) -> None:
    """Pause a schedule, or let it go on from now: what was due meanwhile is not made up."""
    schedule.paused = paused
    if not paused:
        schedule.placed_at = timezone.now()
        schedule.next_at = _after(schedule, schedule.placed_at)
    schedule.save(update_fields=["paused", "next_at", "placed_at"])


def run_now(schedule: Schedule, principal: Principal, trigger: str) -> Run:
    """Accept a run with the schedule's input now, beside its nominal times and even while it is paused.

    Problem `NOT_FOUND` when its target cannot run any more.
    """
    run = RunKind.get(schedule.kind).start_by_hand(schedule, principal, trigger)
    if run is None:
        raise Problem("NOT_FOUND", "What this schedule runs is not published any more.")
    return run


def coming_times(schedule: Schedule, count: int) -> list[datetime]:
    """The next nominal times from now on, in UTC; none while it is paused."""
    if schedule.paused:
        return []
    return next_times(
        count,
        cron=schedule.cron,
        every_seconds=schedule.every_seconds,
        timezone=schedule.timezone,
        anchor_at=schedule.anchor_at,
        after=timezone.now(),
    )


def _after(schedule: Schedule, moment: datetime) -> datetime | None:
    times = nominal_times(
        cron=schedule.cron,
        every_seconds=schedule.every_seconds,
        timezone=schedule.timezone,
        anchor_at=schedule.anchor_at,
        after=moment,
    )
    return next(times, None)


def tick(now: datetime | None = None) -> int:
    """Accept the runs that are due; how many. Safe to call from anywhere, at any time, as often as one likes."""
    now = now or timezone.now()
    started = 0
    due, misplaced = Q(next_at__lte=now), Q(placed_at__gt=now + timedelta(seconds=LATE_SECONDS))
    for schedule in Schedule.objects.filter(due | misplaced, paused=False).select_related("workspace"):
        try:
            if schedule.next_at is not None and schedule.next_at <= now:
                started += _tick_one(schedule, now)
            else:
                _place_anew(schedule, now)
        except Problem as problem:
            _log.warning(
                "schedule %s of %s %s: %s", schedule, schedule.kind, schedule.target_id, problem.message
            )
        except Error:
            raise
        except Exception:
            _log.exception("schedule %s of %s %s failed", schedule, schedule.kind, schedule.target_id)
    return started


def due_times(schedule: Schedule, now: datetime) -> tuple[list[datetime], datetime | None]:
    """The nominal times to run now, by the schedule's `catch_up`, and the next one after them."""
    times, _, following = _due(schedule, now)
    return times, following


def _due(schedule: Schedule, now: datetime) -> tuple[list[datetime], list[datetime], datetime | None]:
    """The times to run now, those that were missed (the last ones) and are let go, and the next one after them."""
    assert schedule.next_at is not None
    on_time: list[datetime] = []
    missed: list[datetime] = []
    moment: datetime | None = schedule.next_at
    while moment is not None and moment <= now:
        (on_time if moment > now - timedelta(seconds=LATE_SECONDS) else missed).append(moment)
        if len(missed) > CAUGHT_UP:
            missed.pop(0)
        if len(missed) == CAUGHT_UP and schedule.every_seconds:
            # Do not count through days of seconds one by one.
            skip = _after(
                schedule,
                max(moment, now - timedelta(seconds=LATE_SECONDS + CAUGHT_UP * schedule.every_seconds)),
            )
            moment = skip if skip is not None and skip > moment else _after(schedule, moment)
            continue
        moment = _after(schedule, moment)
    caught = {"none": [], "last": missed[-1:], "all": missed}[schedule.catch_up]
    return [*caught, *on_time], missed[: len(missed) - len(caught)], moment


def _tick_one(schedule: Schedule, now: datetime) -> int:
    times, let_go, following = _due(schedule, now)
    started = 0
    with transaction.atomic():
        mine = Schedule.objects.filter(pk=schedule.pk, next_at=schedule.next_at, paused=False)
        last_at = times[-1] if times else schedule.last_at
        if not mine.update(next_at=following, placed_at=now, last_at=last_at):
            return 0
        busy = []
        for nominal_at in times:
            if _is_busy(schedule) and schedule.catch_up != "all":
                Schedule.objects.filter(pk=schedule.pk).update(last_skipped_at=nominal_at)
                busy.append(nominal_at)
                continue
            started += _start(schedule, nominal_at)
        _note_missed(schedule, now, late=let_go, busy=busy)
    return started


def _place_anew(schedule: Schedule, now: datetime) -> None:
    """The clock was ahead when this schedule's next time was found: it is the next one from now on instead."""
    mine = Schedule.objects.filter(pk=schedule.pk, next_at=schedule.next_at, paused=False)
    if mine.update(next_at=_after(schedule, now), placed_at=now):
        _log.warning("schedule %s waited for %s: the clock was ahead", schedule, schedule.next_at)


def _note_missed(schedule: Schedule, now: datetime, **missed: list[datetime]) -> None:
    MissedTime.objects.bulk_create(
        MissedTime(
            workspace_id=schedule.workspace_id,
            schedule=schedule,
            nominal_at=nominal_at,
            reason=reason,
            noted_at=now,
        )
        for reason, times in missed.items()
        for nominal_at in times
    )


def _is_busy(schedule: Schedule) -> bool:
    """No overlap: a scheduled run of the target that has not ended holds the next one back."""
    unfinished = Run.objects.filter(
        kind=schedule.kind, target_id=schedule.target_id, state__in=states.UNFINISHED, trigger="schedule"
    )
    return unfinished.exists()


def _start(schedule: Schedule, nominal_at: datetime) -> int:
    try:
        with transaction.atomic():
            return int(RunKind.get(schedule.kind).start_scheduled(schedule, nominal_at) is not None)
    except IntegrityError:
        # Another scheduler, or an earlier life of this one, has made it.
        return 0
