"""Lambdas as durable runs."""

from __future__ import annotations

from datetime import datetime

from stackyard.core.errors import Problem
from stackyard.core.principal import Principal
from stackyard.runs import states
from stackyard.runs.models import Run, Schedule
from stackyard.runs.run_kind import ClaimedRun, Outcome, RunKind
from stackyard.tables.run_kind import failed

from .models import Lambda
from .publication import KIND as PUBLICATION
from .publication import Publication
from .running import KIND, accepted_lambda, run_now, start_lambda


class LambdaRun(RunKind):
    """A lambda's published code, run by a worker."""

    name = KIND
    label = "Lambda"
    group = "code"
    icon = "square-function"

    @classmethod
    def execute(cls, claimed: ClaimedRun) -> Outcome:
        """Run the revision that was accepted, as long as it is there; the newest one otherwise."""
        run = claimed.run
        target = accepted_lambda(run.target_id, run.revision_id)
        if target is None:
            gone = {"name": "Problem", "code": "NOT_FOUND", "message": "The lambda is not there any more."}
            return Outcome(states.FAILED, error=gone)
        try:
            finished = run_now(
                target,
                run.given,
                principal=claimed.principal,
                data_source=run.data_source,
                run={"id": str(run.pk), "attempt": run.attempt, "trigger": run.trigger},
                is_cancelled=claimed.stop.is_set,
                on_log=claimed.logs.append,
            )
        except Problem as problem:
            if problem.code != "BUSY":
                raise
            # No process was free, so nothing of it has been done: another turn, and no attempt spent.
            return Outcome(states.ACCEPTED)
        error = finished.error.as_dict() if finished.error is not None else None
        return Outcome(finished.state, result=finished.value, error=error, logs=finished.logs)

    @classmethod
    def name_of(cls, target_id: int) -> str:
        """The lambda's name."""
        return Lambda.objects.filter(pk=target_id).values_list("name", flat=True).first() or ""

    @classmethod
    def start_scheduled(cls, schedule: Schedule, nominal_at: datetime) -> Run | None:
        """Accept the run of a nominal time."""
        target = _published(schedule)
        if target is None:
            return None
        detail = {"nominal_at": nominal_at.isoformat(), "schedule": str(schedule)}
        return start_lambda(
            target, schedule.input, trigger="schedule", trigger_detail=detail, nominal_at=nominal_at
        )

    @classmethod
    def start_by_hand(cls, schedule: Schedule, principal: Principal, trigger: str) -> Run | None:
        """Accept a run with the schedule's input."""
        target = _published(schedule)
        if target is None:
            return None
        detail = {"schedule": str(schedule)}
        return start_lambda(
            target, schedule.input, principal=principal, trigger=trigger, trigger_detail=detail
        )


class PublicationRun(RunKind):
    """A lambda with npm packages is published: they are brought first."""

    name = PUBLICATION
    label = "Publication"
    group = "code"
    icon = "arrow-up"

    @classmethod
    def execute(cls, claimed: ClaimedRun) -> Outcome:
        """Bring the packages and publish; a Problem ends the run."""
        try:
            return Publication(claimed).run()
        except Problem as problem:
            return failed(problem)

    @classmethod
    def name_of(cls, target_id: int) -> str:
        """The lambda's name."""
        return LambdaRun.name_of(target_id)

    @classmethod
    def start_scheduled(cls, schedule: Schedule, nominal_at: datetime) -> Run | None:
        """Publishing has no schedules."""
        return None


def _published(schedule: Schedule) -> Lambda | None:
    rows = Lambda.objects.select_related("published", "workspace")
    return rows.filter(pk=schedule.target_id, published__isnull=False).first()
