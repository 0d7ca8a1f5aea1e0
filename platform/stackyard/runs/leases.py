"""Leases: while a run is worked on, a thread of its process renews its lease and looks whether it must stop.

One thread for all runs of the process, not one for each: most runs end before it looks for the first time, and
starting a thread would cost more than they do.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import Error, close_old_connections, connections
from django.db.models.functions import Now

from stackyard.core.masking import masker_of

from . import states
from .ending import cut
from .models import Run
from .run_kind import ClaimedRun

_log = logging.getLogger(__name__)
_BEAT_SECONDS = 1.0
_LIVE_CHARACTERS = 100_000


class Keeper:
    """Holds the leases of the runs that this process works on."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin afresh: a forked child holds no lease and has no thread."""
        # Each run with the moments it began and its lease was last renewed.
        self._held: dict[int, tuple[ClaimedRun, float, float]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def holding(self, claimed: ClaimedRun) -> Iterator[None]:
        """Keep the lease until the block ends; `claimed.stop` is set when the run is cancelled or was taken away."""
        now = time.monotonic()
        with self._lock:
            self._held[id(claimed)] = (claimed, now, now)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="run-leases", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(id(claimed), None)

    def _work(self) -> None:
        while True:
            renew_seconds = settings.RUN_LEASE_SECONDS / 4
            beat_seconds = min(_BEAT_SECONDS, renew_seconds)
            time.sleep(beat_seconds)
            with self._lock:
                held = list(self._held.values())
            for claimed, began_at, renewed_at in held:
                if time.monotonic() - began_at >= beat_seconds:
                    self._look_after(claimed, began_at, renewed_at, renew_seconds)
            if not held:
                connections.close_all()

    def _look_after(
        self, claimed: ClaimedRun, began_at: float, renewed_at: float, renew_seconds: float
    ) -> None:
        now = time.monotonic()
        renew = now - renewed_at >= renew_seconds
        try:
            if not _beat(claimed, renew, _heard(claimed)):
                claimed.stop.set()
        except Error as error:
            _log.warning("the lease of run %s cannot be renewed now: %s", claimed.run.pk, error)
            close_old_connections()
            return
        with self._lock:
            if renew and id(claimed) in self._held:
                self._held[id(claimed)] = (claimed, began_at, now)


def _heard(claimed: ClaimedRun) -> str | None:
    """The end of what the work has logged so far, secrets masked; None when that is written already."""
    if len(claimed.logs) == claimed.logs_written:
        return None
    claimed.logs_written = len(claimed.logs)
    text = masker_of(claimed.run.workspace_id).hide("".join(claimed.logs))
    return cut(text if len(text) <= _LIVE_CHARACTERS else f"…{text[-_LIVE_CHARACTERS:]}")


def _beat(claimed: ClaimedRun, renew: bool, logs: str | None) -> bool:
    """Whether the work may go on: the run is still ours, and nobody wants it cancelled. Writes lease and logs, if any."""
    changes: dict[str, Any] = {} if logs is None else {"logs": logs}
    if renew:
        changes["lease_until"] = Now() + lease()
    held = Run.objects.filter(
        pk=claimed.run.pk, state=states.RUNNING, fence=claimed.fence, cancel_requested_at=None
    )
    return bool(held.update(**changes)) if changes else held.exists()


def lease() -> timedelta:
    """How long a worker may be silent before its run is taken from it."""
    return timedelta(seconds=settings.RUN_LEASE_SECONDS)


keeper = Keeper()
os.register_at_fork(after_in_child=keeper.reset)
