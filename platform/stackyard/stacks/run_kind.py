"""Functions as background runs."""

from __future__ import annotations

from datetime import datetime

from stackyard.core.principal import SYSTEM, Principal
from stackyard.runs import dispatch, states
from stackyard.runs.models import Run, Schedule
from stackyard.runs.run_kind import ClaimedRun, Outcome, RunKind

from .models import Function
from .runner import Execution, load_function


class FunctionRun(RunKind):
    """A function's published stack, run in the background."""

    name = "function"
    label = "Function"
    group = "code"
    icon = "function-square"

    @classmethod
    def execute(cls, claimed: ClaimedRun) -> Outcome:
        """Run the stack under the run's principal, for as long as a background run may take."""
        run = claimed.run
        plan = load_function(run.workspace_id, run.target_id, source=run.data_source)
        execution = Execution.start(
            run.workspace_id,
            claimed.principal,
            timeout_seconds=cls.seconds_at_most,
            source=run.data_source,
        )
        value = plan.run(execution, plan.inputs.bind(run.given or {}))
        return Outcome(states.SUCCEEDED, result=dispatch.plain(value))

    @classmethod
    def name_of(cls, target_id: int) -> str:
        """The function's name."""
        return Function.objects.filter(pk=target_id).values_list("name", flat=True).first() or ""

    @classmethod
    def start_scheduled(cls, schedule: Schedule, nominal_at: datetime) -> Run | None:
        """Accept the run of a nominal time."""
        return _start(schedule, SYSTEM, "schedule", nominal_at)

    @classmethod
    def start_by_hand(cls, schedule: Schedule, principal: Principal, trigger: str) -> Run | None:
        """Accept a run with the schedule's input."""
        return _start(schedule, principal, trigger)


def _start(
    schedule: Schedule, principal: Principal, trigger: str, nominal_at: datetime | None = None
) -> Run | None:
    function = Function.objects.filter(pk=schedule.target_id, published__isnull=False).first()
    if function is None:
        return None
    return dispatch.start(
        FunctionRun.name,
        schedule.workspace,
        function.pk,
        target_name=function.name,
        revision_id=function.published_id,
        input=schedule.input,
        principal=principal,
        trigger=trigger,
        nominal_at=nominal_at,
    )
