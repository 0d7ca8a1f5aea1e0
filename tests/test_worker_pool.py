"""The worker's pool of processes: a child that may do so many runs has its successor before its last."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from celery.concurrency import asynpool

from stackyard.runs.pool import _AHEAD, Autoscaler, _Pool

EACH = _AHEAD + 5
# A pool of its own in a process of its own, as a worker on the embedded transport has it: one child, one deed after the other.
DEEDS = f"""
import os, time
from collections import Counter
from stackyard.runs.pool import _PoolWithThreads

def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)

pool = _PoolWithThreads(processes=1, maxtasksperchild={EACH}, synack=False)
done, ended = Counter(), 0
while ended < 4:
    # Before the last deed of a child there is another one, with nothing else to bring it.
    if any(done[child.pid] == {EACH - 1} for child in pool._pool):
        wait_until(lambda: len(pool._pool) > 1)
        print("before", len(pool._pool) > 1, flush=True)
    pid = pool.apply_async(os.getpid).get(30)
    done[pid] += 1
    if done[pid] == {EACH}:
        wait_until(lambda: pid not in [child.pid for child in pool._pool])
        ended += 1
        followed = sum(done[child.pid] >= {EACH - _AHEAD} for child in pool._pool)
        print("after", pool._processes - followed, flush=True)
pool.terminate()
pool.join()
"""


def test_a_child_has_its_successor_before_its_last_deed_and_the_pool_keeps_its_size() -> None:
    done = subprocess.run([sys.executable, "-c", DEEDS], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert "before True" in said, said
    assert "before False" not in said, said
    # One, and one more for each that is about to end.
    assert [line for line in said if line.startswith("after")] == ["after 1"] * 4, said


class Counter:
    """A child's count of what it has done."""

    def __init__(self, value: int) -> None:
        self.value = value


@pytest.fixture
def redis_pool(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The pool of a transport with an event loop, without its processes: child 7 at descriptor 3 has done one too few."""
    monkeypatch.setattr(asynpool.AsynPool, "on_job_ready", lambda *arguments: None)
    pool = object.__new__(_Pool)
    pool._maxtasksperchild, pool._least, pool._followed = EACH, 1, set()
    pool._on_ready_counters = {7: Counter(EACH - 2)}
    pool._fileno_to_inq = {3: type("Child", (), {"pid": 7})()}
    pool._busy_workers = set()
    pool.grown = 0

    def grow(by: int) -> None:
        pool.grown += by

    pool.grow, pool._fill = grow, lambda: None
    return pool


def test_with_redis_nothing_more_goes_to_a_child_that_has_done_its_last(redis_pool: Any) -> None:
    redis_pool.on_job_ready(1, 0, None, 3)
    assert redis_pool._busy_workers == set()
    redis_pool._on_ready_counters[7].value += 1
    redis_pool.on_job_ready(2, 0, None, 3)
    assert redis_pool._busy_workers == {3}
    # One successor, however often it is asked.
    assert redis_pool.grown == 1


@pytest.mark.parametrize(
    ("waiting", "most", "processes", "looks"), [(1, 4, 1, 0), (2, 4, 1, 1), (9, 4, 4, 0), (9, 4, 3, 1)]
)
def test_a_message_only_brings_a_child_when_all_are_taken(
    monkeypatch: pytest.MonkeyPatch, waiting: int, most: int, processes: int, looks: int
) -> None:
    scaler = object.__new__(Autoscaler)
    looked: list[int] = []
    monkeypatch.setattr(Autoscaler, "qty", waiting)
    monkeypatch.setattr(Autoscaler, "processes", processes)
    monkeypatch.setattr(Autoscaler.__mro__[1], "maybe_scale", lambda self, req=None: looked.append(1))
    scaler.max_concurrency = most
    scaler.on_task_received = lambda request: None
    scaler.maybe_scale(object())
    assert len(looked) == looks
    scaler.maybe_scale()
    assert len(looked) == looks + 1


STUCK = """
import threading
from types import SimpleNamespace
from celery.concurrency import prefork
from stackyard.runs import pool

prefork.TaskPool.on_stop = lambda self: threading.Event().wait()
pool._TERMINATE_SECONDS = 0.1
stuck = pool.TaskPool.__new__(pool.TaskPool)
stuck.app, stuck._pool = SimpleNamespace(conf=SimpleNamespace(worker_soft_shutdown_timeout=0.1)), None
stuck.on_stop()
"""


def test_a_worker_whose_pool_never_answers_ends_all_the_same() -> None:
    assert subprocess.run([sys.executable, "-c", STUCK], timeout=60).returncode == 0
