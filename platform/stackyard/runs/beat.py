"""The scheduler's process: django-celery-beat's scheduler, which also wakes us every second.

Beat keeps running what people put into its own tables; our work does not go through the broker, so it goes on
when the broker is away.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error, close_old_connections
from django_celery_beat.schedulers import DatabaseScheduler

from stackyard.core import idempotency
from stackyard.core.vault import sweeping

from . import dispatch, folder, schedule, upkeep

_log = logging.getLogger(__name__)
_SECOND = 1.0
_REAP_SECONDS = 5.0
_PRUNE_SECONDS = 600.0
_SWEEP_SECONDS = 3600.0


class Waker:
    """Does what is due: schedules and the sweep each second, the reaper every five, pruning every ten minutes."""

    def __init__(self) -> None:
        self._every: dict[Callable[[], int], float] = {
            schedule.tick: _SECOND,
            dispatch.sweep: _SECOND,
            dispatch.reap: min(_REAP_SECONDS, settings.RUN_LEASE_SECONDS / 4),
            dispatch.prune: _PRUNE_SECONDS,
            idempotency.prune: _PRUNE_SECONDS,
            sweeping.sweep: _SWEEP_SECONDS,
            tidy: _PRUNE_SECONDS,
            **dict.fromkeys(upkeep.PRUNES, _PRUNE_SECONDS),
            **upkeep.DEEDS,
        }
        self._due = dict.fromkeys(self._every, 0.0)
        # Whether in the wake before one deed failed while another was done: then the database is there.
        self._is_there = False

    def wake(self) -> None:
        """Do what is due; each deed by itself. A database that is away is tried again a second later."""
        now = time.monotonic()
        done = failed = 0
        for deed, due in self._due.items():
            if now < due:
                continue
            self._due[deed] = now + self._every[deed]
            try:
                deed()
                done += 1
            except Error as error:
                failed += 1
                _log.warning("%s must wait: %s", deed.__qualname__, error)
                close_old_connections()
                if not self._is_there:
                    # The workers could not renew their leases either: they come first when the database is back. A deed
                    # that fails by itself, again and again, must not hold the reaper up.
                    self._due[dispatch.reap] = time.monotonic() + settings.RUN_LEASE_SECONDS / 3
            except Exception:
                # One deed that fails must not keep the others from being done.
                _log.exception("%s failed", deed.__name__)
        self._is_there = bool(done and failed)


def tidy() -> int:
    """Remove what killed processes have left in the folder of messages; how many files."""
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    return folder.sweep_leftovers(Path(options["data_folder_in"])) if "data_folder_in" in options else 0


class Scheduler(DatabaseScheduler):  # type: ignore[misc]
    """Beat's scheduler with our waker in its tick."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._waker = Waker()
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Beat's tick and ours; at most a second until the next."""
        self._waker.wake()
        try:
            wait = super().tick(*args, **kwargs)
        except Error as error:
            _log.warning("beat's own schedule must wait: %s", error)
            close_old_connections()
            wait = _SECOND
        return min(wait or _SECOND, _SECOND)
