"""How schedules are: when they ran and will run, and what was missed or failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from . import states
from .models import MissedTime, Run, Schedule
from .schedule import LATE_SECONDS

FAILED = tuple(state for state in states.FINISHED if state not in {states.SUCCEEDED, states.CANCELLED})


@dataclass(frozen=True, slots=True)
class ScheduleHealth:
    """A schedule in a stretch of time. `is_overdue`: its time has passed, and nobody has accepted its run."""

    schedule: Schedule
    ran: int
    failed: int
    missed: int
    is_overdue: bool


def schedule_health(
    workspace_id: int | None, since: datetime, now: datetime, count: int = 100
) -> list[ScheduleHealth]:
    """Every schedule since then, those with trouble first; at most `count`."""
    schedules = Schedule.objects.select_related("workspace")
    runs = Run.objects.filter(trigger="schedule", created_at__gte=since)
    missed = MissedTime.objects.filter(noted_at__gte=since)
    if workspace_id is not None:
        schedules = schedules.filter(workspace=workspace_id)
        runs, missed = runs.filter(workspace=workspace_id), missed.filter(workspace=workspace_id)
    ran = _counted(runs)
    failed = _counted(runs.filter(state__in=FAILED))
    gone = dict(missed.order_by().values_list("schedule").annotate(Count("pk")))
    late = now - timedelta(seconds=LATE_SECONDS)
    found = [
        ScheduleHealth(
            schedule,
            ran.get((schedule.kind, schedule.target_id), 0),
            failed.get((schedule.kind, schedule.target_id), 0),
            gone.get(schedule.pk, 0),
            not schedule.paused and schedule.next_at is not None and schedule.next_at < late,
        )
        for schedule in schedules
    ]
    return sorted(found, key=lambda one: (not one.is_overdue, -one.missed, -one.failed))[:count]


def _counted(runs: object) -> dict[tuple[str, int], int]:
    rows = runs.order_by().values_list("kind", "target_id").annotate(Count("pk"))  # type: ignore[attr-defined]
    return {(kind, target): count for kind, target, count in rows}


def failed_runs(workspace_id: int, since: datetime, until: datetime, but_of_kind: str = "") -> int:
    """How many runs failed in this time: failed, timed out, lost, out of memory; without those of a kind."""
    runs = Run.objects.filter(workspace=workspace_id, finished_at__gte=since, finished_at__lt=until)
    return runs.filter(state__in=FAILED).exclude(kind=but_of_kind).count()


def missed_runs(workspace_id: int, since: datetime, until: datetime) -> int:
    """How many times of schedules went by without a run, as noticed in this time."""
    return MissedTime.objects.filter(workspace=workspace_id, noted_at__gte=since, noted_at__lt=until).count()


def prune_missed(now: datetime | None = None) -> int:
    """Forget what was missed more than 35 days ago; how many."""
    from django.utils import timezone

    return MissedTime.objects.filter(noted_at__lt=(now or timezone.now()) - timedelta(days=35)).delete()[0]
