"""Run & Debug: run a draft, line by line, and put everything back unless asked not to."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from stackyard.core.errors import Problem, problem_body
from stackyard.core.jsonout import encode
from stackyard.core.limits import STACK_SECONDS
from stackyard.core.models import Workspace
from stackyard.core.principal import SYSTEM, Principal
from stackyard.core.secrets import MASK, Secret

from .execution import DebugStop, Execution, RequestFacts, workspace_facts
from .runner import Plan, load_draft
from .trace import Trace

# A trial that rolls back holds SQLite's one write lock while it runs.
_SQLITE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """What a run of a draft came to. `value` is the response; `problem` is set instead when it failed.

    `stopped` says that `stop_and_debug` ended it, with its value. `lines` is the trace, in the order of running.
    """

    status: int
    value: Any
    problem: Problem | None
    headers: list[tuple[str, str]]
    seconds: float
    lines: list[dict[str, Any]]
    stopped: bool = False
    kept: bool = False

    def as_value(self, request_id: str) -> dict[str, Any]:
        """JSON for the console and the management API."""
        made: dict[str, Any] = {
            "status": self.status,
            "milliseconds": round(self.seconds * 1000, 3),
            "headers": [{"name": name, "value": value} for name, value in self.headers],
            "stopped": self.stopped,
            "kept": self.kept,
            "lines": self.lines,
        }
        if self.problem is None:
            made["response"] = self.value
            made["bytes"] = len(encode(self.value))
        else:
            made.update(problem_body(self.problem, request_id))
            if self.problem.place is not None:
                place = self.problem.place
                made["place"] = {"line": place.line, "path": place.path, "column": place.column}
        return made


def try_document(
    workspace: Workspace,
    document: Mapping[str, Any],
    inputs: Mapping[str, Any],
    *,
    principal: Principal = SYSTEM,
    request: RequestFacts | None = None,
    keep_changes: bool = False,
    timeout_seconds: float = STACK_SECONDS.default,
) -> Trial:
    """Run a document as it is now. Problem 400 with every fault when it cannot run at all.

    Whatever the run itself ends in, its own Problems included, is in the Trial. Records that it changed are
    rolled back unless `keep_changes`; on SQLite such a run may then take 5 seconds at most. Secrets are masked.
    """
    plan = load_draft(workspace.pk, document)
    secrets = [
        value.reveal()
        for value in workspace_facts(workspace.pk).variables.values()
        if isinstance(value, Secret)
    ]
    if not keep_changes and connection.vendor == "sqlite":
        timeout_seconds = min(timeout_seconds, _SQLITE_SECONDS)
    trace = Trace(secrets)
    execution = Execution.start(workspace.pk, principal, request, trace, timeout_seconds)
    with _put_back(not keep_changes):
        return _run(plan, execution, trace, dict(inputs), kept=keep_changes)


@contextmanager
def _put_back(wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _run(plan: Plan, execution: Execution, trace: Trace, inputs: dict[str, Any], *, kept: bool) -> Trial:
    began = time.perf_counter()
    value, problem, stopped = None, None, False
    try:
        value = plan.run(execution, plan.inputs.bind(inputs))
    except Problem as raised:
        problem = _without_secrets(raised, trace.secrets)
    except DebugStop as stop:
        value, stopped = stop.value, True
    seconds = time.perf_counter() - began
    trace.finish(failed=problem is not None)
    return Trial(
        status=problem.status if problem is not None else execution.status,
        value=masked(value, trace.secrets),
        problem=problem,
        headers=masked(execution.response_headers, trace.secrets),
        seconds=seconds,
        lines=trace.as_value(),
        stopped=stopped,
        kept=kept,
    )


def _without_secrets(problem: Problem, secrets: list[str]) -> Problem:
    return Problem(
        masked(problem.code, secrets),
        masked(problem.message, secrets),
        status=problem.status,
        suggestion=masked(problem.suggestion, secrets),
        details=masked(problem.details, secrets),
        place=problem.place,
    )


def masked(value: Any, secrets: list[str]) -> Any:
    """A value with every occurrence of a secret's text masked."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, Mapping):
        return {masked(key, secrets): masked(part, secrets) for key, part in value.items()}
    if isinstance(value, list):
        return [masked(part, secrets) for part in value]
    return tuple(masked(part, secrets) for part in value) if isinstance(value, tuple) else value
