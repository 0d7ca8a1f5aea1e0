"""After another lambda."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.dispatch import receiver

from stackyard.core.errors import Faults, Path
from stackyard.core.names import is_name
from stackyard.runs import states
from stackyard.runs.ending import run_finished

from .trigger import TriggerKind

if TYPE_CHECKING:
    from lambdas.models import Lambda
    from stackyard.runs.models import Run

LONGEST_CHAIN = 10


class AfterTrigger(TriggerKind):
    """Runs when another lambda has succeeded; its input is `{run, lambda, input, result}` of that run."""

    name = "after"
    label = "After another lambda"
    icon = "arrow-right"
    options = ("lambda",)

    @classmethod
    def check(cls, spec: Mapping[str, Any], faults: Faults, path: Path, tables: Mapping[str, Any]) -> None:
        """A lambda's name."""
        super().check(spec, faults, path, tables)
        if not is_name(spec.get("lambda")):
            faults.error((*path, "lambda"), "name", "Say which lambda it follows: after: {lambda: name}.")

    @classmethod
    def key(cls, spec: Mapping[str, Any], target: Lambda) -> str:
        """The other lambda's name."""
        return str(spec["lambda"])


@receiver(run_finished)
def _follow(run: Run, result: Any, **_: Any) -> None:
    """Accept the runs that follow, in the transaction that ends this one; a chain has at most ten."""
    if run.kind != "lambda" or run.state != states.SUCCEEDED:
        return
    from lambdas.models import Trigger
    from lambdas.running import start_lambda

    chain = (run.trigger_detail or {}).get("chain", 1)
    if chain >= LONGEST_CHAIN:
        return
    followers = Trigger.objects.filter(workspace_id=run.workspace_id, kind="after", key=run.target_name)
    for trigger in followers.select_related("target__published", "target__workspace"):
        start_lambda(
            trigger.target,
            {"run": str(run.pk), "lambda": run.target_name, "input": run.given, "result": result},
            trigger="after",
            trigger_detail={"run": str(run.pk), "chain": chain + 1},
            data_source=run.data_source,
        )
