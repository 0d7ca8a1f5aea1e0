"""One attempt at a run: claim it, keep the lease, do the work, write the end."""

from __future__ import annotations

import logging
import threading
import uuid
from datetime import timedelta

from django.db import DatabaseError, close_old_connections, connections, transaction
from django.db.models import F
from django.db.models.functions import Now

from stackyard.core.errors import Problem

from . import states
from .ending import finish
from .models import Run, RunEvent
from .run_kind import ClaimedRun, Outcome, RunKind

_log = logging.getLogger(__name__)
LEASE_SECONDS = 30
_BEAT_SECONDS = 1.0
_RENEW_EVERY = 8


def work(run_id: str | uuid.UUID) -> str | None:
    """Do one attempt at a run, if it is there to be taken; the state it ended in. A second message does nothing."""
    claimed = claim(run_id)
    if claimed is None:
        return None
    finished = threading.Event()
    threading.Thread(target=_hold, args=(claimed, finished), name="run-lease", daemon=True).start()
    try:
        outcome = _attempt(claimed)
        return outcome.state if _write(claimed, outcome) else None
    finally:
        finished.set()


def claim(run_id: str | uuid.UUID) -> ClaimedRun | None:
    """Take a run that is accepted and due, by one conditional UPDATE; None when somebody else has it."""
    with transaction.atomic():
        due = Run.objects.filter(pk=run_id, state=states.ACCEPTED, run_after__lte=Now())
        taken = due.update(
            state=states.RUNNING,
            fence=F("fence") + 1,
            attempt=F("attempt") + 1,
            lease_until=Now() + timedelta(seconds=LEASE_SECONDS),
            started_at=Now(),
        )
        if not taken:
            return None
        run = Run.objects.select_related("workspace").get(pk=run_id)
        RunEvent.objects.create(run=run, name=states.RUNNING, fence=run.fence)
    return ClaimedRun(run, run.fence)


def _attempt(claimed: ClaimedRun) -> Outcome:
    run = claimed.run
    try:
        return RunKind.get(run.kind).execute(claimed)
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
    """Write the end; a database that is away for a while is waited for as long as the lease can still be ours."""
    run = claimed.run
    for wait in (0.1, 0.5, 1, 2, 4, 8):
        try:
            return finish(run, claimed.fence, outcome.state, outcome.result, outcome.error, outcome.logs)
        except DatabaseError as error:
            _log.warning("the end of run %s cannot be written now: %s", run.pk, error)
            close_old_connections()
            threading.Event().wait(wait)
    _log.error("the end of run %s could not be written", run.pk)
    return False


def _hold(claimed: ClaimedRun, finished: threading.Event) -> None:
    """Keep the lease while the work goes on; tell the work to stop when it is cancelled or the lease is lost."""
    beats = 0
    try:
        while not finished.wait(_BEAT_SECONDS):
            beats += 1
            try:
                if not _beat(claimed, renew=beats % _RENEW_EVERY == 0):
                    claimed.stop.set()
                    return
            except DatabaseError as error:
                _log.warning("the lease of run %s cannot be renewed now: %s", claimed.run.pk, error)
                close_old_connections()
    finally:
        connections.close_all()


def _beat(claimed: ClaimedRun, renew: bool) -> bool:
    """Whether the work may go on."""
    held = Run.objects.filter(pk=claimed.run.pk, state=states.RUNNING, fence=claimed.fence)
    if renew and not held.update(lease_until=Now() + timedelta(seconds=LEASE_SECONDS)):
        return False
    return not held.filter(cancel_requested_at__isnull=False).exists()
