"""Run & Debug: run a draft, line by line, and put everything back unless asked not to."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from stackyard.core.data_source import LIVE
from stackyard.core.errors import Problem, problem_body
from stackyard.core.jsonout import encode
from stackyard.core.limits import STACK_SECONDS
from stackyard.core.models import Workspace
from stackyard.core.principal import SYSTEM, Principal
from stackyard.core.secrets import Secret
from stackyard.tables.rehearsal import Rehearsal, RehearsalStore, rehearsing

from .execution import DebugStop, Execution, RequestFacts, workspace_facts
from .runner import Plan, load_draft
from .trace import Trace

# From its first write on, a trial that rolls back holds SQLite's one write lock.
_LOCKED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Stop:
    """Where to end a trial: before the line with this id, or after it."""

    line: str
    after: bool = True


@dataclass(frozen=True, slots=True)
class Trial:
    """What a run of a draft came to. `value` is the response; `problem` is set instead when it failed.

    `stopped` says that `stop_and_debug` or a `Stop` ended it, with its value; `stopped_at` is then the line of the
    `Stop`. `lines` is the trace, in the order of running; `trace` has the single rounds too.
    """

    status: int
    value: Any
    problem: Problem | None
    headers: list[tuple[str, str]]
    seconds: float
    trace: Trace
    stopped: bool = False
    stopped_at: str | None = None
    kept: bool = False
    source: str = LIVE
    lines: list[dict[str, Any]] = field(default_factory=list)

    def as_value(self, request_id: str) -> dict[str, Any]:
        """JSON for the console and the management API."""
        made: dict[str, Any] = {
            "status": self.status,
            "milliseconds": round(self.seconds * 1000, 3),
            "headers": [{"name": name, "value": value} for name, value in self.headers],
            "stopped": self.stopped,
            "stopped_at": self.stopped_at,
            "kept": self.kept,
            "data_source": self.source,
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
    lenient: Container[str] = (),
    keep_changes: bool = False,
    stop: Stop | None = None,
    is_cancelled: Callable[[], bool] | None = None,
    timeout_seconds: float | None = None,
    source: str = LIVE,
) -> Trial:
    """Run a document as it is now. Problem 400 with every fault when it cannot run at all.

    Whatever the run itself ends in, its own Problems included, is in the Trial. Records that it changed are
    rolled back unless `keep_changes`; on SQLite such a run may take 5 seconds from its first write on. Secrets are
    masked. `source` are the records that it works on. `lenient` names inputs that come as texts. `is_cancelled` is asked at every line.
    """
    plan = load_draft(workspace.pk, document, source)
    variables = workspace_facts(workspace.pk).variables.values()
    trace = Trace(
        (value.reveal() for value in variables if isinstance(value, Secret)),
        stop.line if stop is not None else None,
        stop is not None and stop.after,
    )
    seconds = timeout_seconds or document.get("timeout_seconds") or STACK_SECONDS.default
    execution = Execution.start(workspace.pk, principal, request, trace, seconds, source)
    execution.is_cancelled = is_cancelled
    with _changes(execution, keep_changes):
        ran = _run(plan, execution, trace, inputs, lenient)
    return _trial(ran, execution, trace, kept=keep_changes)


def _changes(execution: Execution, kept: bool) -> AbstractContextManager[None]:
    """The transaction that a trial's changes end with; none when they are kept."""
    if kept:
        return nullcontext()

    def hurry() -> None:
        if execution.schema.dialect == "sqlite":
            execution.deadline = min(execution.deadline, time.monotonic() + _LOCKED_SECONDS)

    rehearsal = Rehearsal(hurry)
    execution.store = RehearsalStore(execution.store, rehearsal)
    return rehearsing(rehearsal)


@dataclass(slots=True)
class _Ran:
    """How the run ended, before anything is masked."""

    value: Any = None
    problem: Problem | None = None
    stopped: bool = False
    seconds: float = 0.0


def _run(
    plan: Plan, execution: Execution, trace: Trace, inputs: Mapping[str, Any], lenient: Container[str]
) -> _Ran:
    ran, began = _Ran(), time.perf_counter()
    trace.hide(*plan.inputs.secrets_in(inputs))
    try:
        ran.value = plan.run(execution, plan.inputs.bind(inputs, lenient))
    except Problem as raised:
        ran.problem = raised
    except DebugStop as stop:
        ran.value, ran.stopped = stop.value, True
    ran.seconds = time.perf_counter() - began
    trace.finish(failed=ran.problem is not None)
    return ran


def _trial(ran: _Ran, execution: Execution, trace: Trace, *, kept: bool) -> Trial:
    problem = _without_secrets(ran.problem, trace) if ran.problem is not None else None
    return Trial(
        status=problem.status if problem is not None else execution.status,
        value=trace.masked_in(ran.value),
        problem=problem,
        headers=[(name, trace.masked_in(value)) for name, value in execution.response_headers],
        seconds=ran.seconds,
        trace=trace,
        stopped=ran.stopped,
        stopped_at=trace.stopped_at,
        kept=kept,
        source=execution.source,
        lines=trace.as_value(),
    )


def _without_secrets(problem: Problem, trace: Trace) -> Problem:
    return Problem(
        trace.masked_in(problem.code),
        trace.masked_in(problem.message),
        status=problem.status,
        suggestion=trace.masked_in(problem.suggestion),
        details=trace.masked_in(problem.details),
        place=problem.place,
    )
