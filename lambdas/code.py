"""Short pieces of code inside a stack: the `code` step and the lambda filters share how they are run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from stackyard.core.errors import Problem

from . import supervisor
from .running import masked, value_or_problem
from .supervisor import Items, Job, Services
from .supervisor.compiler import SyntaxFault

DEFAULT_SECONDS = 10
LONGEST_SECONDS = 300


class NoServices:
    """Answers code that may only compute."""

    def call(self, method: str, params: list[Any]) -> Any:
        """Refuse: a filter's code sees its values and nothing else."""
        raise Problem(
            "ACCESS_DENIED", f'"{method}" is not there for the code of a filter: use a code step or a lambda.'
        )


def key_of(source: str) -> str:
    """What names a piece of code to the supervisor."""
    return hashlib.sha256(source.encode()).hexdigest()[:32]


def apply_to_list(
    operation: str,
    values: Sequence[Any],
    source: str,
    *,
    initial: Any = None,
    seconds: float = DEFAULT_SECONDS,
) -> Any:
    """Apply code to every item of a list, in one crossing. Problem `LAMBDA_FAILED` as the code fails."""
    job = Job(
        workspace_id=0,
        lambda_key=f"filter:{key_of(source)}",
        code=source,
        file_name="filter.ts",
        timeout_seconds=seconds,
        mode="filter",
        items=Items(operation, values, initial),
    )
    return value_or_problem(supervisor.default().run(job, NoServices()))


def run_source(
    source: str,
    *,
    workspace_id: int,
    input: Any,
    names: Mapping[str, Any],
    auth: Mapping[str, Any],
    env: Mapping[str, str],
    times: Mapping[str, Any],
    seconds: float,
    services: Services,
) -> Any:
    """Run the code of a step; its `return` is the value."""
    job = Job(
        workspace_id=workspace_id,
        lambda_key=f"code:{key_of(source)}",
        code=source,
        file_name="code.ts",
        input=input,
        names=names,
        auth=auth,
        env=env,
        timeout_seconds=seconds,
        run={"id": None, "attempt": 1, "trigger": "step"},
        **times,
    )
    return value_or_problem(masked(supervisor.default().run(job, services), workspace_id))


def syntax_fault(source: str) -> str | None:
    """What is wrong with a source, with its line; None when it can be compiled."""
    try:
        supervisor.default().compile(source)
    except SyntaxFault as fault:
        failure = fault.failure
        return f"{failure.message} (line {failure.line})" if failure.line else failure.message
    return None
