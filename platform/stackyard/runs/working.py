"""One attempt at a run: claim it, keep the lease, do the work, write the end."""

from __future__ import annotations

import logging
import time
import uuid
from datetime import timedelta

from django.conf import settings
from django.db import DataError, Error, close_old_connections
from django.db.models.functions import Now

from stackyard.core import tracing
from stackyard.core.audit.actor import acting, of_run
from stackyard.core.errors import Problem

from . import statements, states
from .ending import finish, give_back
from .leases import keeper
from .models import Run
from .progress import Stopped
from .run_kind import ClaimedRun, Outcome, RunKind

_log = logging.getLogger(__name__)
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
    try:
        with keeper.holding(claimed):
            traces = tracing.active
            outcome = _attempt(claimed) if traces is None else _traced(traces, claimed)
            return outcome.state if _write(claimed, outcome) else None
    except BaseException:
        _give_up(claimed)
        raise


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
    with statements.together():
        run = statements.claim(run_id, settings.RUN_LEASE_SECONDS)
    return None if run is None else ClaimedRun(run, run.fence)


def _give_up(claimed: ClaimedRun) -> None:
    """This process is told to end in the middle of the work: let the reaper see to the run now, not after the lease."""
    held = Run.objects.filter(pk=claimed.run.pk, state=states.RUNNING, fence=claimed.fence)
    try:
        held.update(lease_until=Now() - timedelta(milliseconds=1))
    except Error as error:
        _log.warning("the lease of run %s runs out by itself: %s", claimed.run.pk, error)


def _traced(traces: tracing.Traces, claimed: ClaimedRun) -> Outcome:
    """One attempt in a span of its own."""
    run = claimed.run
    told: tracing.Attributes = {
        "stackyard.run": str(run.pk),
        "stackyard.run.kind": run.kind,
        "stackyard.run.target": run.target_name,
        "stackyard.run.attempt": run.attempt,
        "stackyard.workspace": run.workspace_id or 0,
    }
    with traces.span("CONSUMER", f"run {run.kind}", told) as span:
        outcome = _attempt(claimed)
        failed = outcome.state in (states.FAILED, states.TIMED_OUT, states.OUT_OF_MEMORY)
        span.tell({"stackyard.run.state": outcome.state}, failed=failed)
        return outcome


def _attempt(claimed: ClaimedRun) -> Outcome:
    run = claimed.run
    try:
        with acting(of_run(run.principal)):
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
