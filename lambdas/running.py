"""Running a lambda: what its process is given, and the doors to it (now, or as a durable run)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from stackyard.core.data_source import LIVE
from stackyard.core.errors import Problem
from stackyard.core.masking import masker_of
from stackyard.core.principal import SYSTEM, Principal
from stackyard.core.secrets import Secret
from stackyard.core.version import Current
from stackyard.runs import dispatch
from stackyard.runs.models import Run
from stackyard.stacks.execution import Execution, workspace_facts
from stackyard.stacks.models import Revision

from . import supervisor
from .document import with_defaults
from .models import Lambda
from .services import LambdaServices
from .supervisor import Finished, Job

KIND = "lambda"


def start_lambda(
    target: Lambda,
    input: Any = None,
    *,
    principal: Principal = SYSTEM,
    trigger: str = "api",
    trigger_detail: Any = None,
    run_after: datetime | None = None,
    nominal_at: datetime | None = None,
    idempotency_key: str | None = None,
    same_by: Sequence[str] = (),
    data_source: str = LIVE,
) -> Run:
    """Accept a durable run of what is published. Problem `NOT_FOUND` when nothing is."""
    document = published_document(target)
    return dispatch.start(
        KIND,
        target.workspace,
        target.pk,
        target_name=target.name,
        revision_id=target.published_id,
        input=input,
        principal=principal,
        trigger=trigger,
        trigger_detail=trigger_detail,
        run_after=run_after,
        nominal_at=nominal_at,
        idempotency_key=idempotency_key,
        same_by=same_by,
        retry_safe=document["retry_safe"],
        max_attempts=document["max_attempts"],
        data_source=data_source,
    )


def _none_yet() -> dict[tuple[int, str], Lambda]:
    return {}


_named: Current[dict[tuple[int, str], Lambda]] = Current(_none_yet)
"""Emptied whenever the installation's version moves, filled one lambda at a time."""


def lambda_named(workspace_id: int, name: str) -> Lambda:
    """A workspace's lambda with what is published of it, the same object for all callers: it is only read. Problem
    `NOT_FOUND` when there is none."""
    held = _named.get()
    target = held.get((workspace_id, name))
    if target is None:
        found = Lambda.objects.filter(workspace_id=workspace_id, name=name)
        target = found.select_related("published", "workspace").first()
        if target is None:
            raise Problem("NOT_FOUND", f'There is no lambda "{name}" any more.')
        held[(workspace_id, name)] = target
    return target


def _no_runs_yet() -> dict[tuple[int, int | None], Lambda]:
    return {}


_accepted: Current[dict[tuple[int, int | None], Lambda]] = Current(_no_runs_yet)
"""As `_named`, by a lambda's id and a revision's."""


def accepted_lambda(target_id: int, revision_id: int | None) -> Lambda | None:
    """The lambda of a run, with the revision that was accepted as what is published, as long as that is there; only to
    be read. None when the lambda has gone."""
    held = _accepted.get()
    target = held.get((target_id, revision_id))
    if target is None:
        target = Lambda.objects.select_related("published", "workspace").filter(pk=target_id).first()
        if target is None:
            return None
        if revision_id is not None and revision_id != target.published_id:
            revisions = Revision.objects.filter(pk=revision_id, owner_kind=KIND, owner_id=target_id)
            target.published = revisions.first() or target.published
        held[(target_id, revision_id)] = target
    return target


def published_document(target: Lambda) -> dict[str, Any]:
    """What is published. Problem `NOT_FOUND` when nothing is."""
    if target.published is None:
        raise Problem("NOT_FOUND", f'The lambda "{target.name}" is not published.')
    return with_defaults(target.published.document)


def run_now(
    target: Lambda,
    input: Any,
    *,
    document: Mapping[str, Any] | None = None,
    execution: Execution | None = None,
    principal: Principal = SYSTEM,
    run: Mapping[str, Any] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
    on_log: Callable[[str], None] | None = None,
    seconds_at_most: float | None = None,
    data_source: str = LIVE,
) -> Finished:
    """Run a lambda on this process's supervisor and wait for its end. `document` is a draft to run instead.

    With an `execution` it works in the caller's transaction and under the caller's principal. Secrets are masked in
    logs and error, not in the value: whoever shows or keeps that masks it.
    """
    chosen = with_defaults(document) if document is not None else published_document(target)
    timeout = min(chosen["timeout"], seconds_at_most or chosen["timeout"])
    if execution is None:
        execution = Execution.start(
            target.workspace_id, principal, timeout_seconds=timeout + 5, source=data_source
        )
    env = environment_of(target.workspace_id, chosen["variables"])
    job = Job(
        **times_of(execution),
        workspace_id=target.workspace_id,
        # The same key means the same code: ids alone could come back after a restored backup.
        lambda_key=f"{target.pk}:{hash(chosen['code'])}",
        code=chosen["code"],
        file_name=f"{target.name}.ts",
        input=input,
        env=env,
        auth=execution.principal.as_value(),
        run=run or {"id": None, "attempt": 1, "trigger": "call"},
        timeout_seconds=timeout,
        memory_mb=chosen["memory_mb"],
        once=chosen["fresh_process"],
    )
    listener = _masking(on_log, target.workspace_id) if on_log is not None else None
    with LambdaServices(execution, chosen["network"]) as services:
        finished = supervisor.default().run(job, services, is_cancelled=is_cancelled, on_log=listener)
    return masked(finished, target.workspace_id)


def times_of(execution: Execution) -> dict[str, Any]:
    """`now`, `today` and its neighbours as the process gets them."""
    moments = {
        "now_ms": execution.root_now(),
        "today_ms": execution.root_today(),
        "yesterday_ms": execution.root_yesterday(),
        "tomorrow_ms": execution.root_tomorrow(),
    }
    return {name: int(moment.timestamp() * 1000) for name, moment in moments.items()}


def environment_of(workspace_id: int, names: list[str]) -> dict[str, str]:
    """The variables a lambda may see, secrets revealed."""
    variables = workspace_facts(workspace_id).variables
    found = {name: variables[name] for name in names if name in variables}
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in found.items()}


def _masking(on_log: Callable[[str], None], workspace_id: int) -> Callable[[str], None]:
    masker = masker_of(workspace_id)
    return lambda text: on_log(masker.hide(text))


def masked(finished: Finished, workspace_id: int) -> Finished:
    """An end without the workspace's secrets in logs and error. The value stays as it is, for whoever works on with it."""
    error = finished.error
    if error is None and not finished.logs:
        return finished
    masker = masker_of(workspace_id)
    if error is not None:
        error = replace(error, **masker.hide_in(asdict(error)))
    return replace(finished, logs=masker.hide(finished.logs), error=error)


def value_or_problem(finished: Finished) -> Any:
    """The value of a run that succeeded; else a Problem `LAMBDA_FAILED`, `TIMEOUT` that a stack can catch."""
    if finished.state == "succeeded":
        return finished.value
    error = finished.error
    message = error.message if error is not None else finished.state
    if finished.state == "timed_out":
        raise Problem("TIMEOUT", f"The lambda took longer than it may: {message}")
    if error is not None and error.code and error.status and 400 <= error.status <= 599:
        # A Problem of ours that the code let through keeps its code and status.
        raise Problem(
            error.code, message, status=error.status, suggestion=error.suggestion, details=error.details or ()
        )
    detail = error.as_dict() if error is not None else None
    raise Problem("LAMBDA_FAILED", message, details=[detail] if detail else ())
