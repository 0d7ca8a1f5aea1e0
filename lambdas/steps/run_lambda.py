"""Run a lambda from a stack."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from lambdas.models import Lambda
from lambdas.running import lambda_named, run_now, start_lambda, value_or_problem
from stackyard.core import types as t
from stackyard.core.errors import did_you_mean
from stackyard.stacks.check import StackChecker
from stackyard.stacks.execution import Execution
from stackyard.stacks.parameters import Constant, Value
from stackyard.stacks.step import Line, Step


def run_lambda(execution: Execution, name: str, given: Any, wait: bool) -> Any:
    """Its value, or `{run, url}` when nobody waits."""
    target = lambda_named(execution.workspace_id, name)
    if not wait:
        run = start_lambda(
            target, given, principal=execution.principal, trigger="step", data_source=execution.source
        )
        return {"run": str(run.pk), "url": f"/run:{run.pk}"}
    left = execution.deadline - time.monotonic()
    return value_or_problem(run_now(target, given, execution=execution, seconds_at_most=max(left, 0.1)))


class RunLambda(Step):
    """Run a lambda and take its value; or, without waiting, have it run in the background."""

    name = "run_lambda"
    label = "Run lambda"
    group = "code"
    icon = "lambda"
    sentence = "Run lambda {lambda}[ with {input}]"
    synonyms = "javascript typescript code deno background job"
    goes_out = True
    parameters = (
        Constant("lambda", "The lambda's name.", required=True, widget="lambda"),
        Value("input", "What the code sees as input.", default={}),
        Constant("wait", "Wait for its value; false gives {run, url} at once.", default=True, type=t.BOOL),
    )
    run = staticmethod(run_lambda)
    raises = ("LAMBDA_FAILED", "TIMEOUT", "BUSY")
    examples = (
        {
            "lines": [{"step": "run_lambda", "as": "n", "params": {"lambda": "half", "input": {"n": 42}}}],
            "response": "n",
            "is": 21,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """The lambda must be published; what code gives back is not known beforehand."""
        name = line.params.get("lambda")
        known = published_names(checker.catalogue.schema.workspace_id)
        if isinstance(name, str) and name not in known:
            message = f'There is no published lambda "{name}".{did_you_mean(name, known)}'
            checker.error(line.at("lambda"), "unknown_lambda", message)
        return t.object_of({"run": t.TEXT, "url": t.TEXT}) if line.params.get("wait") is False else t.ANY


def published_names(workspace_id: int) -> list[str]:
    """The lambdas that a stack can run."""
    rows = Lambda.objects.filter(workspace_id=workspace_id, published__isnull=False)
    return list(rows.values_list("name", flat=True))
