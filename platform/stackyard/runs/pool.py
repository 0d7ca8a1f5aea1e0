"""The worker's pool of processes: Celery's prefork pool, looked after by one thread at a time.

Billiard's pool is tended by a thread of its own, and by the autoscaler's and the consumer's threads whenever they
change its size. Two of them at once take a child that is just being started for one that has ended (the log then
says "exited with 'exitcode None'"), and now and then the whole worker exits with every run in its hands
(celery/billiard#159). One lock ends that.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from typing import Any

from celery.concurrency import prefork

_TERMINATE_SECONDS = 2.0


class _Pool(prefork.BlockingPool):  # type: ignore[misc]
    """The pool with threads, which a transport without an event loop gets: our folder does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._one_at_a_time = threading.RLock()
        super().__init__(*args, **kwargs)

    def _maintain_pool(self) -> None:
        with self._one_at_a_time:
            super()._maintain_pool()

    def grow(self, n: int = 1) -> None:
        """Have more children."""
        with self._one_at_a_time:
            super().grow(n)

    def shrink(self, n: int = 1) -> None:
        """Have fewer; ValueError when all are busy."""
        with self._one_at_a_time:
            super().shrink(n)


class TaskPool(prefork.TaskPool):  # type: ignore[misc]
    """Celery's prefork pool with that lock, and with an end to waiting when the worker is to stop.

    Celery's own soft shutdown always waits for its whole time-out, its warm one without limit.
    """

    BlockingPool = _Pool

    def on_stop(self) -> None:
        """Wait for the runs in hand, at most as long as `worker_soft_shutdown_timeout`; then end their processes."""
        limit = threading.Timer(float(self.app.conf.worker_soft_shutdown_timeout), self._end_processes)
        limit.daemon = True
        limit.start()
        super().on_stop()
        limit.cancel()

    def _end_processes(self) -> None:
        """SIGTERM, at which a process gives up the lease of its run; SIGKILL to what is left."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in list(self._pool._pool if self._pool is not None else ()):
                with suppress(ProcessLookupError, TypeError):
                    os.kill(process.pid, number)
            time.sleep(_TERMINATE_SECONDS)

    @property
    def num_processes(self) -> int:
        """How many children there are; once it has stopped as many as at first, so that nobody scales it."""
        return int(self._pool._processes if self._pool is not None else self.limit)
