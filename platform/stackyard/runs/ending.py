"""The end of an attempt: one conditional UPDATE, one event, and whoever waits for it is told in the same transaction."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.dispatch import Signal

from stackyard.core.masking import masker_of

from . import statements, states
from .models import Run, RunEvent

_log = logging.getLogger(__name__)
# Sent with `run` and its `result` in the transaction that ends it, whatever it ends in. `run.result` is what is kept, with
# secrets masked; `result` is the value itself, for whoever works on with it.
run_finished = Signal()

LOG_BYTES = 1_000_000
_FIRST_WAIT_SECONDS = 2.0
_LONGEST_WAIT_SECONDS = 600.0


def finish(run: Run, fence: int, state: str, result: Any, error: Mapping[str, Any] | None, logs: str) -> bool:
    """Write how an attempt ended, or wait for the next one where that is safe; False when the lease was lost."""
    may_repeat = state in states.RETRIED and run.retry_safe and run.attempt < run.max_attempts
    if may_repeat and _try_again(run, fence, state, error, logs):
        return True
    return bool(end(run, fence, state, result, error, logs))


def end(
    run: Run,
    fence: int,
    state: str,
    result: Any,
    error: Mapping[str, Any] | None,
    logs: str,
    *,
    expired: bool = False,
) -> int:
    """The end of a run; 1 when it was ours to write. `expired`: only if the lease is over."""
    masker = masker_of(run.workspace_id)
    with transaction.atomic():
        values = {
            "state": state,
            "result": masker.hide_in(result),
            "error": None if error is None else masker.hide_in(dict(error)),
            "logs": cut(masker.hide(logs)),
        }
        ended = statements.end(run, fence, values, expired=expired)
        if ended is None:
            # A late writer is worth a note; a second reaper, or a run that is no longer there, is not.
            if not expired and Run.objects.filter(pk=run.pk).exists():
                RunEvent.objects.create(run=run, name="fenced_off", fence=fence, detail={"state": state})
            return 0
        # Whoever holds the run sees what is written now; its workspace, once read, stays.
        run.__dict__.update({**ended.__dict__, "_state": run._state})
        tell_end(run, fence, result)
    return 1


def tell_end(run: Run, fence: int, result: Any = None) -> None:
    """The signal. Called in the transaction that wrote the state and the terminal event.

    A listener that fails takes back what the listeners did, and not the end: else the run would never have one.
    """
    try:
        with transaction.atomic():
            run_finished.send(sender=None, run=run, result=result)
    except (OperationalError, InterfaceError):
        # The database is away or wants this done again: then the end is not written either.
        raise
    except Exception as error:
        _log.exception("what follows run %s could not be started", run.pk)
        message = masker_of(run.workspace_id).hide(str(error))[:500]
        detail = {"name": type(error).__name__, "message": message}
        RunEvent.objects.create(run=run, name="following_failed", fence=fence, detail=detail)


def _try_again(run: Run, fence: int, state: str, error: Mapping[str, Any] | None, logs: str) -> bool:
    """Give the run back for its next attempt; False when it is not ours any more, or is to be cancelled."""
    masker = masker_of(run.workspace_id)
    shown = None if error is None else masker.hide_in(dict(error))
    with transaction.atomic():
        held = Run.objects.filter(pk=run.pk, state=states.RUNNING, fence=fence, cancel_requested_at=None)
        changed = held.update(
            state=states.ACCEPTED,
            run_after=Now() + timedelta(seconds=wait_seconds(run.attempt)),
            dispatched_at=None,
            lease_until=None,
            error=shown,
            logs=cut(masker.hide(logs)),
        )
        if changed:
            detail = {"state": state, "error": shown}
            RunEvent.objects.create(run=run, name="attempt_failed", fence=fence, detail=detail)
    return bool(changed)


def give_back(run: Run, fence: int) -> bool:
    """Let others have a turn: the run is accepted again, with the attempts it had before this one.

    A cancellation that came in this very moment ends it.
    """
    from .courier import courier

    with transaction.atomic():
        held = Run.objects.filter(pk=run.pk, state=states.RUNNING, fence=fence)
        changed = held.filter(cancel_requested_at=None).update(
            state=states.ACCEPTED,
            attempt=F("attempt") - 1,
            run_after=Now(),
            dispatched_at=Now(),
            lease_until=None,
        )
        if changed:
            transaction.on_commit(lambda: courier.send(str(run.pk)), robust=True)
    return bool(changed) or bool(end(run, fence, states.CANCELLED, None, None, ""))


def wait_seconds(attempt: int) -> float:
    """How long to wait after attempt n (1, 2, …): doubling from 2 s to 10 min, with full jitter in its upper half.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
    return longest / 2 + random.random() * longest / 2


def cut(logs: str) -> str:
    """Logs up to 1 MB, and where they were cut; without what no database takes (NUL, half a surrogate pair)."""
    data = logs.replace("\0", "\ufffd").encode("utf-8", "replace")
    if len(data) <= LOG_BYTES:
        return data.decode()
    return data[:LOG_BYTES].decode("utf-8", "ignore") + f"\n… cut: {len(data) - LOG_BYTES:,} bytes more"
