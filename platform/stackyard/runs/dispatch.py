"""The one door to runs: accept, cancel, and send what is accepted to the workers.

A run is a row in the transaction of whatever caused it. After the commit its id is given to the courier,
and a sweep gives it again if nobody took it, so a lost message delays a run and never loses it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from stackyard.core.errors import Problem
from stackyard.core.jsonout import encode
from stackyard.core.models import Workspace
from stackyard.core.principal import SYSTEM, Principal

from . import states
from .models import Run, RunEvent
from .run_kind import principal_value

INPUT_BYTES = 10_000_000
_AGAIN_SECONDS = 10
_BATCH = 500


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
    retry_safe: bool = False,
    max_attempts: int = 1,
) -> Run:
    """Accept a run in the caller's transaction.

    With an `idempotency_key` that was used before, the earlier run is the answer; Problem `CONFLICT` when it had
    another input. IntegrityError for a `nominal_at` that has its run already.
    """
    from django.utils import timezone

    input = plain(input)
    if idempotency_key is not None:
        earlier = _earlier(workspace, kind, target_id, idempotency_key, input)
        if earlier is not None:
            return earlier
    try:
        with transaction.atomic():
            run = Run.objects.create(
                workspace=workspace,
                kind=kind,
                target_id=target_id,
                target_name=target_name,
                revision_id=revision_id,
                input=input,
                principal=principal_value(principal),
                trigger=trigger,
                trigger_detail=trigger_detail,
                run_after=run_after or timezone.now(),
                nominal_at=nominal_at,
                idempotency_key=idempotency_key,
                retry_safe=retry_safe,
                max_attempts=max_attempts if retry_safe else 1,
            )
            RunEvent.objects.create(run=run, name=states.ACCEPTED)
    except IntegrityError:
        if idempotency_key is not None:
            earlier = _earlier(workspace, kind, target_id, idempotency_key, input)
            if earlier is not None:
                return earlier
        raise
    if run_after is None:
        transaction.on_commit(lambda: _send(run), robust=True)
    return run


def plain(value: Any) -> Any:
    """A run-time value as the JSON it is stored as. Problem `PAYLOAD_TOO_LARGE` past 10 MB."""
    import orjson

    data = encode(value)
    if len(data) > INPUT_BYTES:
        raise Problem("PAYLOAD_TOO_LARGE", f"The input of a run has at most {INPUT_BYTES:,} bytes.")
    return orjson.loads(data)


def _earlier(workspace: Workspace, kind: str, target_id: int, key: str, input: Any) -> Run | None:
    found = Run.objects.filter(
        workspace=workspace, kind=kind, target_id=target_id, idempotency_key=key
    ).first()
    if found is not None and found.input != input:
        raise Problem(
            "CONFLICT",
            "This idempotency key was used with another input.",
            suggestion="Use a new key for a new request.",
        )
    return found


def _send(run: Run) -> None:
    from .courier import courier

    Run.objects.filter(pk=run.pk, state=states.ACCEPTED).update(dispatched_at=Now())
    courier.send(str(run.pk))


def sweep() -> int:
    """Send what is due and was not taken; how many. Two sweeps at once send nothing twice within ten seconds."""
    from .courier import courier

    stale = Q(dispatched_at=None) | Q(dispatched_at__lt=Now() - timedelta(seconds=_AGAIN_SECONDS))
    due = Run.objects.filter(stale, state=states.ACCEPTED, run_after__lte=Now())
    sent = 0
    for pk in list(due.order_by("run_after").values_list("pk", flat=True)[:_BATCH]):
        if Run.objects.filter(stale, pk=pk, state=states.ACCEPTED).update(dispatched_at=Now()):
            courier.send(str(pk))
            sent += 1
    return sent


def reap() -> int:
    """Take back runs whose worker is gone: again when that is safe, else `lost`; how many."""
    from .ending import end

    gone = Run.objects.filter(state=states.RUNNING, lease_until__lt=Now())
    taken = 0
    for run in list(gone[:_BATCH]):
        held = Run.objects.filter(pk=run.pk, state=states.RUNNING, fence=run.fence, lease_until__lt=Now())
        if run.cancel_requested_at is not None:
            taken += end(run, run.fence, states.CANCELLED, None, None, "", expired=True)
        elif run.retry_safe and run.attempt < run.max_attempts:
            with transaction.atomic():
                # The fence moves on, so that whoever still works on it can no longer write.
                if held.update(
                    state=states.ACCEPTED, fence=F("fence") + 1, dispatched_at=None, lease_until=None
                ):
                    RunEvent.objects.create(run=run, name="taken_back", fence=run.fence)
                    taken += 1
        else:
            error = {
                "name": "Lost",
                "code": "LOST",
                "message": "Its worker died; whether it had done its work is not known.",
            }
            taken += end(run, run.fence, states.LOST, None, error, "", expired=True)
    return taken


def cancel(run: Run) -> None:
    """Cancel a run: at once when it waits, within about a second when it runs. Problem `CONFLICT` when it has ended."""
    from .ending import record_end

    with transaction.atomic():
        waiting = Run.objects.filter(pk=run.pk, state=states.ACCEPTED)
        if waiting.update(state=states.CANCELLED, fence=F("fence") + 1, finished_at=Now()):
            run.refresh_from_db()
            record_end(run, run.fence)
            return
        running = Run.objects.filter(pk=run.pk, state=states.RUNNING)
        if running.update(cancel_requested_at=Now()):
            RunEvent.objects.create(run=run, name="cancel_requested", fence=run.fence)
            return
    run.refresh_from_db()
    raise Problem("CONFLICT", f"This run has ended already: {run.state}.")


def prune(keep: int = 100_000, days: int = 30) -> int:
    """Delete finished runs past `days`, and the oldest beyond `keep`; how many."""
    finished = Run.objects.filter(state__in=states.FINISHED)
    old = finished.filter(finished_at__lt=Now() - timedelta(days=days))
    beyond = finished.order_by("-id").values_list("pk", flat=True)[keep : keep + _BATCH]
    deleted = 0
    for rows in (old.order_by("id")[:_BATCH], Run.objects.filter(pk__in=list(beyond))):
        pks = list(rows.values_list("pk", flat=True))
        RunEvent.objects.filter(run__in=pks).delete()
        deleted += Run.objects.filter(pk__in=pks, state__in=states.FINISHED).delete()[0] if pks else 0
    return deleted
