"""The worker's pool of processes: Celery's prefork pool, looked after by one thread at a time.

Billiard's pool is tended by a thread of its own, and by the autoscaler's and the consumer's threads whenever they
change its size. Two of them at once take a child that is just being started for one that has ended (the log then
says "exited with 'exitcode None'"), and now and then the whole worker exits with every run in its hands
(celery/billiard#159). One lock ends that.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
from contextlib import suppress
from typing import Any

from celery.concurrency import asynpool, prefork
from celery.worker import autoscale

_TERMINATE_SECONDS = 2.0
# How many runs before its last a child gets a successor.
_AHEAD = 10


class _Successors:
    """Has a child followed by the next before it ends, for of `max_tasks_per_child` runs one is always the last: else
    the run after it waits until another process has started, or goes to the one that is ending and is lost for seconds.
    """

    def __init__(self, processes: int, *args: Any, **kwargs: Any) -> None:
        self._least = processes
        self._followed: set[int] = set()
        super().__init__(processes, *args, **kwargs)  # type: ignore[call-arg]

    def on_job_ready(self, job: int, i: int, obj: Any, fd: int) -> None:
        """One more is done: whoever has few left is followed from now on."""
        super().on_job_ready(job, i, obj, fd)  # type: ignore[misc]
        limit: int = self._maxtasksperchild or 0  # type: ignore[attr-defined]
        for pid, counter in list(self._on_ready_counters.items()):  # type: ignore[attr-defined]
            if limit and counter.value >= limit - _AHEAD and pid not in self._followed:
                self._followed.add(pid)
                self.grow(1)  # type: ignore[attr-defined]
                self._fill()

    def _fill(self) -> None:
        """Start what is missing; a pool with threads has one that does so anyway."""

    def _maintain_pool(self) -> None:
        pool: Any = self
        for process in list(pool._pool):
            if process.pid in self._followed and process.exitcode is not None:
                self._followed.discard(process.pid)
                if pool._processes > self._least and not getattr(process, "_controlled_termination", False):
                    pool._processes -= 1
                    pool._putlock.shrink()
        super()._maintain_pool()  # type: ignore[misc]


class _Pool(_Successors, asynpool.AsynPool):  # type: ignore[misc]
    """The pool of a transport with an event loop: Redis has one. All of it happens on one thread."""

    def _fill(self) -> None:
        self.maintain_pool()

    def on_job_ready(self, job: int, i: int, obj: Any, fd: int) -> None:
        """A child is free again; not the one that has done all it may, which is ending now."""
        super().on_job_ready(job, i, obj, fd)
        process = self._fileno_to_inq.get(fd)
        counter = self._on_ready_counters.get(process.pid) if process is not None else None
        # It is counted up after this.
        if counter is not None and self._maxtasksperchild and counter.value + 1 >= self._maxtasksperchild:
            self._busy_workers.add(fd)


class _PoolWithThreads(_Successors, prefork.BlockingPool):  # type: ignore[misc]
    """The pool of a transport without an event loop: our folder has none."""

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


class Autoscaler(autoscale.Autoscaler):  # type: ignore[misc]
    """Celery's, which would look over the whole pool with each message: here a message only brings another child when
    all are taken, and everything else waits for the look it takes every few seconds."""

    def maybe_scale(self, req: Any = None) -> None:
        """Look whether there are too few or too many; with a message `req` only whether too few."""
        if req is not None:
            self.on_task_received(req)
            if min(self.qty, self.max_concurrency) <= self.processes:
                return
        super().maybe_scale()


class TaskPool(prefork.TaskPool):  # type: ignore[misc]
    """Celery's prefork pool with that lock, and with an end to waiting when the worker is to stop.

    Celery's own soft shutdown always waits for its whole time-out, its warm one without limit.
    """

    Pool = _Pool
    BlockingPool = _PoolWithThreads

    def on_start(self) -> None:
        """Fork the first children. What is loaded by now stays: no later fork has to look through it."""
        gc.collect()
        gc.freeze()
        super().on_start()

    def on_stop(self) -> None:
        """Wait for the runs in hand, at most as long as `worker_soft_shutdown_timeout`; then end their processes."""
        has_stopped = threading.Event()
        patience = float(self.app.conf.worker_soft_shutdown_timeout)
        limit = threading.Timer(patience, self._end_processes, [has_stopped])
        limit.daemon = True
        limit.start()
        super().on_stop()
        has_stopped.set()
        limit.cancel()

    def _end_processes(self, has_stopped: threading.Event) -> None:
        """SIGTERM, at which a process gives up the lease of its run; SIGKILL to what is left; then this process.

        Billiard may wait without end for the answer of a child that was killed in the middle of one.
        """
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in list(self._pool._pool if self._pool is not None else ()):
                with suppress(ProcessLookupError, TypeError):
                    os.kill(process.pid, number)
            if has_stopped.wait(_TERMINATE_SECONDS):
                return
        os._exit(0)

    @property
    def num_processes(self) -> int:
        """How many children there are; once it has stopped as many as at first, so that nobody scales it."""
        return int(self._pool._processes if self._pool is not None else self.limit)
