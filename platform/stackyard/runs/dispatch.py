"""The one door to runs: accept, cancel, and send what is accepted to the workers.

A run is a row in the transaction of whatever caused it. After the commit its id is given to the courier,
and a sweep gives it again if nobody took it, so a lost message delays a run and never loses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from stackyard.core.data_source import LIVE, TEST, no_test_data
from stackyard.core.errors import Detail, Problem, invalid_input
from stackyard.core.jsonout import encode
from stackyard.core.masking import masker_of
from stackyard.core.models import Workspace
from stackyard.core.principal import SYSTEM, Principal
from stackyard.core.secrets import digest, encrypt

from . import statements, states
from .models import Run, RunEvent
from .run_kind import principal_value

INPUT_BYTES = 10_000_000
_BATCH = 500
_LATE_SECONDS = 60
_FURTHEST_SECONDS = 366 * 86_400
_PRUNE_ROUNDS = 40


def start(
    kind: str,
    workspace: Workspace,
    target_id: int,
    *,
    target_name: str,
    revision_id: int | None = None,
    input: Any = None,
    principal: Principal = SYSTEM,
    trigger: str = "api",
    trigger_detail: Any = None,
    run_after: datetime | None = None,
    nominal_at: datetime | None = None,
    idempotency_key: str | None = None,
    same_by: Sequence[str] = (),
    retry_safe: bool = False,
    max_attempts: int = 1,
    data_source: str = LIVE,
) -> Run:
    """Accept a run in the caller's transaction, to work on live or test data.

    With an `idempotency_key` that was used before, the earlier run is the answer; Problem `CONFLICT` when it had
    another input (in the keys `same_by`, when there are any), `INVALID_INPUT` for test data that is not there. IntegrityError for a `nominal_at` that has its run already.
    """
    if data_source == TEST:
        if not Workspace.objects.filter(pk=workspace.pk, has_test_data=True).exists():
            raise no_test_data()
        if idempotency_key is not None:
            idempotency_key = digest(f"test:{idempotency_key}")
    input = plain(input)
    shown = masker_of(workspace.pk).hide_in(input)
    if idempotency_key is not None:
        earlier = _earlier(workspace, kind, target_id, idempotency_key, input, same_by)
        if earlier is not None:
            return earlier
    try:
        with statements.together():
            run = Run(
                workspace=workspace,
                kind=kind,
                target_id=target_id,
                target_name=target_name,
                revision_id=revision_id,
                input=shown,
                sealed_input=None if shown is input else encrypt(orjson.dumps(input).decode()),
                principal=principal_value(principal),
                data_source=data_source,
                trigger=trigger,
                trigger_detail=trigger_detail,
                run_after=run_after or timezone.now(),
                dispatched_at=timezone.now() if run_after is None else None,
                nominal_at=nominal_at,
                idempotency_key=idempotency_key,
                retry_safe=retry_safe,
                max_attempts=max_attempts if retry_safe else 1,
            )
            # By the database's clock, as the claim reads it: a worker's or a web server's may go wrong, and the caller
            # gets about those times. What is due now is sent right after the commit; a run for later is the sweep's.
            statements.accept(run, now=("run_after", "dispatched_at") if run_after is None else ())
    except IntegrityError:
        if idempotency_key is not None:
            earlier = _earlier(workspace, kind, target_id, idempotency_key, input, same_by)
            if earlier is not None:
                return earlier
        raise
    if run_after is None:
        from .courier import courier

        transaction.on_commit(lambda: courier.send(str(run.pk)), robust=True)
    return run


def run_at(moment: datetime) -> datetime:
    """A time that a run is to wait for. Problem `INVALID_INPUT` when it has passed, or is more than a year away."""
    ahead = (moment - timezone.now()).total_seconds()
    if ahead < -_LATE_SECONDS:
        raise invalid_input([Detail("run_at", "range", "this time has passed")])
    if ahead > _FURTHEST_SECONDS:
        raise invalid_input([Detail("run_at", "range", "expected a time within a year from now")])
    return moment


def plain(value: Any) -> Any:
    """A run-time value as the JSON it is stored as. Problem `PAYLOAD_TOO_LARGE` past 10 MB."""
    data = encode(value)
    if len(data) > INPUT_BYTES:
        raise Problem("PAYLOAD_TOO_LARGE", f"The input of a run has at most {INPUT_BYTES:,} bytes.")
    return orjson.loads(data)


def _earlier(
    workspace: Workspace, kind: str, target_id: int, key: str, input: Any, same_by: Sequence[str]
) -> Run | None:
    found = Run.objects.filter(
        workspace=workspace, kind=kind, target_id=target_id, idempotency_key=key
    ).first()
    if found is None:
        return None
    given = found.given
    if any(given[name] != input[name] for name in same_by) if same_by else given != input:
        raise Problem(
            "CONFLICT",
            "This idempotency key was used with another input.",
            suggestion="Use a new key for a new request.",
        )
    return found


def sweep() -> int:
    """Give what is due and was not taken to the courier; how many. Two sweeps at once give nothing twice in ten seconds."""
    from .courier import courier

    again = Now() - timedelta(seconds=settings.RUN_SEND_AGAIN_SECONDS)
    stale = Q(dispatched_at=None) | Q(dispatched_at__lt=again)
    due = Run.objects.filter(state=states.ACCEPTED, run_after__lte=Now())
    oldest = due.filter(stale).order_by("run_after").values_list("pk", "dispatched_at")[:_BATCH]
    waiting, sent = None, 0
    for pk, dispatched_at in list(oldest):
        if not Run.objects.filter(stale, pk=pk, state=states.ACCEPTED).update(dispatched_at=Now()):
            continue
        if dispatched_at is None:
            courier.send(str(pk))
        else:
            waiting = due.count() if waiting is None else waiting
            courier.send_again(str(pk), waiting)
        sent += 1
    return sent


def reap() -> int:
    """Take back runs whose worker is gone: again when that is safe, else they end; how many."""
    gone = Run.objects.filter(state=states.RUNNING, lease_until__lt=Now())
    return sum(_take_from_the_dead(run) for run in list(gone[:_BATCH]))


def _take_from_the_dead(run: Run) -> int:
    from .ending import end

    if run.cancel_requested_at is not None:
        return end(run, run.fence, states.CANCELLED, None, None, "", expired=True)
    if not run.retry_safe:
        error = {
            "name": "Lost",
            "code": "LOST",
            "message": "Its worker died; whether it had done its work is not known.",
        }
        return end(run, run.fence, states.LOST, None, error, "", expired=True)
    if run.attempt < run.max_attempts:
        return _take_back(run)
    error = {
        "name": "WorkerDied",
        "code": "WORKER_DIED",
        "message": f"Its worker died at attempt {run.attempt} of {run.max_attempts}, the last one.",
    }
    return end(run, run.fence, states.FAILED, None, error, "", expired=True)


def _take_back(run: Run) -> int:
    held = Run.objects.filter(pk=run.pk, state=states.RUNNING, fence=run.fence, lease_until__lt=Now())
    with transaction.atomic():
        # The fence moves on, so that whoever still works on it can no longer write.
        taken = held.filter(cancel_requested_at=None).update(
            state=states.ACCEPTED, fence=F("fence") + 1, dispatched_at=None, lease_until=None
        )
        if taken:
            RunEvent.objects.create(run=run, name="taken_back", fence=run.fence)
    return taken


def cancel(run: Run) -> None:
    """Cancel a run: at once when it waits, within about a second when it runs. Problem `CONFLICT` when it has ended."""
    while not _cancelled(run):
        run.refresh_from_db()
        if run.is_finished:
            raise Problem("CONFLICT", f"This run has ended already: {run.state}.")


def _cancelled(run: Run) -> bool:
    from .ending import tell_end

    with transaction.atomic():
        waiting = Run.objects.filter(pk=run.pk, state=states.ACCEPTED)
        if waiting.update(state=states.CANCELLED, fence=F("fence") + 1, finished_at=Now()):
            run.refresh_from_db()
            statements.note(run, run.state, run.fence, is_terminal=True)
            tell_end(run, run.fence)
            return True
        running = Run.objects.filter(pk=run.pk, state=states.RUNNING)
        if running.update(cancel_requested_at=Now()):
            RunEvent.objects.create(run=run, name="cancel_requested", fence=run.fence)
            return True
    # It has ended, or was taken or given back between the two statements.
    return False


def prune(keep: int = 100_000, days: int = 30) -> int:
    """Delete finished runs past `days`, and the oldest beyond `keep`; how many. At most 20,000 at once."""
    deleted = 0
    for _ in range(_PRUNE_ROUNDS):
        round_deleted = _prune_batch(keep, days)
        deleted += round_deleted
        if round_deleted < _BATCH:
            break
    return deleted


def _prune_batch(keep: int, days: int) -> int:
    finished = Run.objects.filter(state__in=states.FINISHED)
    old = finished.filter(finished_at__lt=Now() - timedelta(days=days)).order_by("id")
    beyond = finished.order_by("-id")[keep:]
    pks = list(old.values_list("pk", flat=True)[:_BATCH])
    if len(pks) < _BATCH:
        pks += list(beyond.values_list("pk", flat=True)[:_BATCH])
    with transaction.atomic():
        RunEvent.objects.filter(run__in=pks).delete()
        Run.objects.filter(pk__in=pks).delete()
    return len(set(pks))
