"""One attempt at a run: claim it, keep the lease, do the work, write the end."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from datetime import timedelta

from django.conf import settings
from django.db import DataError, Error, close_old_connections, connections, transaction
from django.db.models import F
from django.db.models.functions import Now

from stackyard.core.errors import Problem

from . import states
from .ending import finish, give_back
from .models import Run, RunEvent
from .progress import Stopped
from .run_kind import ClaimedRun, Outcome, RunKind

_log = logging.getLogger(__name__)
_BEAT_SECONDS = 1.0
_WRITE_SECONDS = 300.0
_LONGEST_WAIT_SECONDS = 8.0
_UNSTORABLE = {
    "name": "Unstorable",
    "code": "INTERNAL_ERROR",
    "message": "It ended, and what it gave could not be stored.",
}


def work(run_id: str | uuid.UUID) -> str | None:
    """Do one attempt at a run, if it is there to be taken; the state it ended in. A second message does nothing."""
    claimed = _claim_or_wait(run_id)
    if claimed is None:
        return None
    finished = threading.Event()
    threading.Thread(target=_hold, args=(claimed, finished), name="run-lease", daemon=True).start()
    try:
        outcome = _attempt(claimed)
        return outcome.state if _write(claimed, outcome) else None
    except BaseException:
        _give_up(claimed)
        raise
    finally:
        finished.set()


def _claim_or_wait(run_id: str | uuid.UUID) -> ClaimedRun | None:
    """The claim; a connection that was cut while this process had nothing to do is replaced once."""
    for is_last in (False, True):
        try:
            return claim(run_id)
        except Error as error:
            close_old_connections()
            if is_last:
                _log.warning("run %s cannot be taken now: %s", run_id, error)
    return None


def claim(run_id: str | uuid.UUID) -> ClaimedRun | None:
    """Take a run that is accepted and due, by one conditional UPDATE; None when somebody else has it."""
    with transaction.atomic():
        due = Run.objects.filter(pk=run_id, state=states.ACCEPTED, run_after__lte=Now())
        taken = due.update(
            state=states.RUNNING,
            fence=F("fence") + 1,
            attempt=F("attempt") + 1,
            lease_until=Now() + _lease(),
            started_at=Now(),
        )
        if not taken:
            return None
        run = Run.objects.select_related("workspace").get(pk=run_id)
        RunEvent.objects.create(run=run, name=states.RUNNING, fence=run.fence)
    return ClaimedRun(run, run.fence)


def _lease() -> timedelta:
    return timedelta(seconds=settings.RUN_LEASE_SECONDS)


def _give_up(claimed: ClaimedRun) -> None:
    """This process is told to end in the middle of the work: let the reaper see to the run now, not after the lease."""
    held = Run.objects.filter(pk=claimed.run.pk, state=states.RUNNING, fence=claimed.fence)
    try:
        held.update(lease_until=Now() - timedelta(milliseconds=1))
    except Error as error:
        _log.warning("the lease of run %s runs out by itself: %s", claimed.run.pk, error)


def _attempt(claimed: ClaimedRun) -> Outcome:
    run = claimed.run
    try:
        return RunKind.get(run.kind).execute(claimed)
    except Stopped:
        # When the lease was lost instead, the fence keeps this from being written.
        return Outcome(states.CANCELLED)
    except Problem as problem:
        error = {"name": "Problem", "code": problem.code, "message": problem.message, "details": None}
        return Outcome(states.FAILED, error=error)
    except Exception as error:
        _log.exception("run %s failed", run.pk)
        return Outcome(
            states.FAILED,
            error={
                "name": type(error).__name__,
                "code": "INTERNAL_ERROR",
                "message": "Something went wrong here.",
            },
        )


def _write(claimed: ClaimedRun, outcome: Outcome) -> bool:
    """Write the end. A database that is away is waited for: as long as nobody took the run back, its end is ours."""
    run, wait = claimed.run, 0.1
    deadline = time.monotonic() + _WRITE_SECONDS
    while True:
        try:
            if outcome.state == states.ACCEPTED:
                return give_back(run, claimed.fence)
            run.retry_safe = run.retry_safe and not outcome.is_final
            return finish(run, claimed.fence, outcome.state, outcome.result, outcome.error, outcome.logs)
        except DataError:
            outcome = _unstorable(claimed, outcome)
        except Error as error:
            if time.monotonic() > deadline:
                _log.error("the end of run %s could not be written: %s", run.pk, error)
                return False
            _log.warning("the end of run %s cannot be written now: %s", run.pk, error)
            close_old_connections()
            time.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
        except (ValueError, TypeError, RecursionError):
            outcome = _unstorable(claimed, outcome)


def _unstorable(claimed: ClaimedRun, outcome: Outcome) -> Outcome:
    """The end of a run whose result or error no database takes. Raises again when that is what we tried."""
    if outcome.error is _UNSTORABLE:
        raise
    _log.exception("what run %s gave could not be stored", claimed.run.pk)
    return Outcome(states.FAILED, error=_UNSTORABLE, logs=outcome.logs)


def _hold(claimed: ClaimedRun, finished: threading.Event) -> None:
    """Keep the lease while the work goes on; tell the work to stop when it is cancelled or the lease is lost."""
    renew_seconds = settings.RUN_LEASE_SECONDS / 4
    pause = min(_BEAT_SECONDS, renew_seconds)
    renewed_at = time.monotonic()
    try:
        while not finished.wait(pause):
            renew = time.monotonic() - renewed_at >= renew_seconds
            try:
                if not _beat(claimed, renew):
                    claimed.stop.set()
                    return
                renewed_at = time.monotonic() if renew else renewed_at
            except Error as error:
                _log.warning("the lease of run %s cannot be renewed now: %s", claimed.run.pk, error)
                close_old_connections()
    finally:
        connections.close_all()


def _beat(claimed: ClaimedRun, renew: bool) -> bool:
    """Whether the work may go on: the run is still ours, and nobody wants it cancelled."""
    held = Run.objects.filter(
        pk=claimed.run.pk, state=states.RUNNING, fence=claimed.fence, cancel_requested_at=None
    )
    return bool(held.update(lease_until=Now() + _lease())) if renew else held.exists()
