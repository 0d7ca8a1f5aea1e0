"""Building one index of a large table while everybody goes on: PostgreSQL does that by itself, SQLite by a mirror."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from django.db import OperationalError, connection, connections, transaction

from stackyard.core.data_source import LIVE
from stackyard.core.errors import Problem
from stackyard.runs.progress import Progress, Stopped

from . import ddl
from .alterations import alter
from .database import busy_when_locked
from .mirrors import Mirror

_log = logging.getLogger(__name__)
PAUSE_SECONDS = 0.01
BATCH_SECONDS = 0.02
"""How long a batch should hold SQLite's write lock; the number of its records follows from that."""
FIRST_BATCH, LARGEST_BATCH = 500, 20_000
_EMPTIED = 20_000
_LOOK_SECONDS = 0.5
_PHASE = "building the index"

Keep = Callable[[int, int], None]
"""Keeps how far it is (an id, the last id), in the transaction of the batch."""


def build_online(
    plan: ddl.IndexPlan, progress: Progress, keep: Keep, reached: int, done: Callable[[], None]
) -> bool:
    """Build an index from where the last turn got to; False when this turn is over first.

    `done` marks it as built; on SQLite that is one transaction with the moment it is. Raises Stopped when the run is
    cancelled, Problem `CONFLICT` (or the database's own error, on PostgreSQL) when it is unique and values are there twice.
    """
    if connection.vendor == "postgresql":
        with _watched(plan, progress):
            ddl.drop(plan, concurrently=True)
            ddl.build(plan, concurrently=True)
        done()
        return True
    for one in plan.each_source():
        if one.table.source == LIVE:
            continue
        # First that of test data, so that `done` comes with the last one; then from the beginning for the live one.
        if not Mirror(one).is_handed_over and not _build_by_mirror(
            one, progress, keep, reached, lambda: keep(0, 0)
        ):
            return False
        tidy(Mirror(one), ddl.last_id_in(one.table))
    return _build_by_mirror(plan, progress, keep, reached, done)


def _build_by_mirror(
    plan: ddl.IndexPlan, progress: Progress, keep: Keep, reached: int, done: Callable[[], None]
) -> bool:
    mirror, workspace = Mirror(plan), plan.table.workspace_id
    last = ddl.last_id_in(plan.table)
    if reached == 0 or not mirror.is_there:
        reached = 0
        with busy_when_locked():
            alter(workspace, mirror.begin)
    batch = FIRST_BATCH
    while reached < last:
        progress.check()
        if progress.turn_is_over:
            return False
        began, until = monotonic(), min(reached + batch, last)
        with busy_when_locked(), transaction.atomic():
            mirror.copy(reached + 1, until)
            keep(until, last)
        reached, took = until, monotonic() - began
        batch = max(FIRST_BATCH, min(LARGEST_BATCH, int(batch * BATCH_SECONDS / max(took, 0.001)), batch * 2))
        sleep(PAUSE_SECONDS)
    _hand_over(mirror, plan, done)
    tidy(mirror, last)
    return True


def _hand_over(mirror: Mirror, plan: ddl.IndexPlan, done: Callable[[], None]) -> None:
    with busy_when_locked(), transaction.atomic():
        mirror.forget_noted()
    if plan.unique and ddl.duplicates(plan, 1):
        raise Problem("CONFLICT", "The same values came twice meanwhile.")

    def both() -> None:
        mirror.hand_over()
        done()

    def slowly() -> None:
        mirror.drop()
        ddl.build_one(plan)
        done()

    try:
        with busy_when_locked():
            alter(plan.table.workspace_id, both)
    except OperationalError as error:
        if "may not be modified" not in str(error):
            raise
        _log.warning("this SQLite forbids edits of its schema: %s is built under the write lock", plan.name)
        with busy_when_locked():
            alter(plan.table.workspace_id, slowly)
    finally:
        mirror.settle()
    if not mirror.is_sound():
        _log.error("index %s had to be built anew", plan.name)
        mirror.rebuild()


def tidy(mirror: Mirror, last: int) -> None:
    """What was only for building goes, some thousand records at a time."""
    if not mirror.is_there:
        return
    for first in range(1, last + 1, _EMPTIED):
        with transaction.atomic():
            mirror.empty(first, first + _EMPTIED - 1)
        sleep(PAUSE_SECONDS)
    with transaction.atomic():
        mirror.drop()


@contextmanager
def _watched(plan: ddl.IndexPlan, progress: Progress) -> Iterator[None]:
    """Tell how far PostgreSQL is with the statement inside, and end it when the run is to end."""
    connection.ensure_connection()
    raw: Any = connection.connection
    over, ended = threading.Event(), threading.Event()

    def watch() -> None:
        try:
            while not over.wait(_LOOK_SECONDS):
                try:
                    progress.check()
                except Stopped:
                    ended.set()
                    raw.cancel()
                    return
                _tell(raw.info.backend_pid, progress)
        finally:
            connections.close_all()

    watcher = threading.Thread(target=watch, name="index-watch", daemon=True)
    watcher.start()
    try:
        yield
    except Exception:
        if not ended.is_set():
            raise
        ddl.drop(plan, concurrently=True)
        raise Stopped from None
    finally:
        over.set()
        watcher.join()


def _tell(backend: int, progress: Progress) -> None:
    found = ddl.run(
        "SELECT phase, blocks_done, blocks_total, tuples_done, tuples_total"
        " FROM pg_stat_progress_create_index WHERE pid = %s",
        [backend],
    )
    if found:
        phase, blocks, all_blocks, tuples, all_tuples = found[0]
        done, total = (tuples, all_tuples) if all_tuples else (blocks, all_blocks)
        progress.report(int(done), int(total) or None, f"{_PHASE}: {phase}")
