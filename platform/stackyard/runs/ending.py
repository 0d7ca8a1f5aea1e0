"""The end of an attempt: one conditional UPDATE, one event, and whoever waits for it is told in the same transaction."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.dispatch import Signal

from . import states
from .models import Run, RunEvent

# Sent with `run` in the transaction that ends it, whatever it ends in.
run_finished = Signal()

LOG_BYTES = 1_000_000
_FIRST_WAIT_SECONDS = 2.0
_LONGEST_WAIT_SECONDS = 600.0


def finish(run: Run, fence: int, state: str, result: Any, error: Mapping[str, Any] | None, logs: str) -> bool:
    """Write how an attempt ended, or wait for the next one where that is safe; False when the lease was lost."""
    if state in states.RETRIED and run.retry_safe and run.attempt < run.max_attempts:
        return _try_again(run, fence, state, error, logs)
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
    with transaction.atomic():
        held = Run.objects.filter(pk=run.pk, state=states.RUNNING, fence=fence)
        if expired:
            held = held.filter(lease_until__lt=Now())
        changed = held.update(
            state=state,
            result=result,
            error=None if error is None else dict(error),
            logs=cut(logs),
            lease_until=None,
            finished_at=Now(),
        )
        if not changed:
            RunEvent.objects.create(run=run, name="fenced_off", fence=fence, detail={"state": state})
            return 0
        run.refresh_from_db()
        record_end(run, fence)
    return 1


def record_end(run: Run, fence: int) -> None:
    """The terminal event, and the signal. Called in the transaction that wrote the state."""
    RunEvent.objects.create(run=run, name=run.state, fence=fence, is_terminal=True)
    run_finished.send(sender=None, run=run)


def _try_again(run: Run, fence: int, state: str, error: Mapping[str, Any] | None, logs: str) -> bool:
    with transaction.atomic():
        held = Run.objects.filter(pk=run.pk, state=states.RUNNING, fence=fence)
        changed = held.update(
            state=states.ACCEPTED,
            run_after=Now() + timedelta(seconds=wait_seconds(run.attempt)),
            dispatched_at=None,
            lease_until=None,
            error=None if error is None else dict(error),
            logs=cut(logs),
        )
        name = "attempt_failed" if changed else "fenced_off"
        RunEvent.objects.create(run=run, name=name, fence=fence, detail={"state": state, "error": error})
    return bool(changed)


def wait_seconds(attempt: int) -> float:
    """How long to wait after attempt n (1, 2, …): doubling from 2 s to 10 min, with full jitter in its upper half.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
    return longest / 2 + random.random() * longest / 2


def cut(logs: str) -> str:
    """Logs up to 1 MB, and where they were cut."""
    data = logs.encode("utf-8", "replace")
    if len(data) <= LOG_BYTES:
        return logs
    return data[:LOG_BYTES].decode("utf-8", "ignore") + f"\n… cut: {len(data) - LOG_BYTES:,} bytes more"
