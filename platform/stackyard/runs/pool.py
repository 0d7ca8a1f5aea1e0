"""The worker's pool of processes: Celery's prefork pool, looked after by one thread at a time.

Billiard's pool is tended by a thread of its own, and by the autoscaler's and the consumer's threads whenever they
change its size. Two of them at once take a child that is just being started for one that has ended (the log then
says "exited with 'exitcode None'"), and now and then the whole worker exits with every run in its hands
(celery/billiard#159). One lock ends that.
"""

from __future__ import annotations

import threading
from typing import Any

from celery.concurrency import prefork


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
    """Celery's prefork pool with that lock."""

    BlockingPool = _Pool

    @property
    def num_processes(self) -> int:
        """How many children there are; once it has stopped as many as at first, so that nobody scales it."""
        return int(self._pool._processes if self._pool is not None else self.limit)
