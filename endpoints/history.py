"""The request history: each call noted in passing, written by one thread per process in batches.

A request only appends to a queue (`note`). The writer makes rows of what waits every quarter of a second, at most
100 at a time: one INSERT of many rows on SQLite, COPY on PostgreSQL (http.md §4 measured both). When the
queue is full, or the database stays away, calls are dropped and counted; a request never fails or waits for it.
"""

from __future__ import annotations

import atexit
import logging
import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, InterfaceError, OperationalError, connections, transaction

from auth.keys import write_uses
from stackyard.core.connection import close_broken
from stackyard.core.version import pin, unpin

from .history_bounds import prune
from .history_repair import is_broken, is_gone, replace
from .history_rows import COLUMNS, Row, row_of
from .rollups import Tally

if TYPE_CHECKING:
    from .inputs import Sent
    from .plans import EndpointPlan

_log = logging.getLogger(__name__)
_BATCH = 100
_SECONDS = 0.25
_COUNTS_SECONDS = 1.0
_USES_SECONDS = 5.0
_QUEUED_CALLS = 20_000
_QUEUED_BYTES = 64_000_000
_PRUNE_EVERY = 1_000
_LOG_SECONDS = 60.0
_TABLE = "endpoints_historyentry"


class Call(NamedTuple):
    """One call as it is noted. `started_at` is in epoch seconds, `duration_ns` in nanoseconds; `place` is the stack's line that failed."""

    plan: EndpointPlan
    request_id: str
    path: str
    environ: dict[str, Any]
    sent: Sent | None
    principal: str
    address: str
    status: int
    error_code: str
    answer: bytes
    started_at: float
    duration_ns: int
    place: str = ""
    source: str = "live"


class History:
    """The queue and its writer. One per process."""

    def __init__(self, kept: int = settings.HISTORY_ENTRIES) -> None:
        self.kept = kept
        self.dropped = 0
        self.written = 0
        self._waiting: deque[Call] = deque()
        self._waiting_bytes = 0
        self._rows: list[Row] = []
        self._since_pruned = 0
        self._logged_at = -math.inf
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._writing = threading.Lock()
        self.tally = Tally()

    def note(self, call: Call) -> None:
        """Keep a call for the writer: the only part that is on a request's way."""
        if len(self._waiting) >= _QUEUED_CALLS or self._waiting_bytes > _QUEUED_BYTES:
            self.dropped += 1
            return
        self._waiting_bytes += _weight(call)
        self._waiting.append(call)

    def start(self) -> None:
        """Write from a thread of this process until it exits; what waits at exit is written then."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="request-history", daemon=True)
            self._thread.start()
            atexit.register(self.stop)

    def stop(self, seconds: float = 5.0) -> None:
        """Write what waits and end the thread, within `seconds`."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(seconds)
            self._thread = None

    def _run(self) -> None:
        uses_at = time.monotonic() + _USES_SECONDS
        counts_at = time.monotonic() + _COUNTS_SECONDS
        while not self._stopping.wait(_SECONDS):
            counts = time.monotonic() >= counts_at
            self.flush(counts)
            if counts:
                counts_at = time.monotonic() + _COUNTS_SECONDS
            if time.monotonic() >= uses_at:
                _write_uses()
                uses_at = time.monotonic() + _USES_SECONDS
        self.flush()
        _write_uses()
        for alias in ("default", "history"):
            connections[alias].close()

    def forget(self) -> None:
        """Drop what waits and what was counted of it, unwritten."""
        with self._writing:
            self._waiting.clear()
            self._waiting_bytes = 0
            self._rows.clear()
            self.tally.forget()

    def flush(self, counts: bool = True) -> None:
        """Write everything that waits, in the calling thread, and what was counted of it (`counts`).

        Whatever fails is logged, never raised.
        """
        with self._writing:
            try:
                # One version for the whole round: it tells whether what is known of secrets still holds.
                pin()
                if is_gone():
                    replace()
                while self._waiting or self._rows:
                    self._take()
                    if not self._write():
                        return
                if counts:
                    self._write_counts()
            except (DatabaseError, OSError) as error:
                self._complain("the request history cannot be written now: %s", error)
            finally:
                unpin()

    def _take(self) -> None:
        """Make rows of what waits, up to a batch."""
        while self._waiting and len(self._rows) < _BATCH:
            call = self._waiting.popleft()
            self.tally.count(call)
            # Threads add to this without a lock, so it is set right whenever the queue is empty.
            self._waiting_bytes = self._waiting_bytes - _weight(call) if self._waiting else 0
            if not settings.HISTORY_ENABLED:
                continue
            try:
                self._rows.append(row_of(call))
            except ObjectDoesNotExist:
                # The workspace was deleted meanwhile, and its history with it.
                self.dropped += 1
            except Exception:
                self.dropped += 1
                _log.exception("a call could not be made a row of the history")

    def _write(self) -> bool:
        """Whether the batch is done with (written, or dropped as unwritable); False to try again later."""
        rows = self._rows
        try:
            insert(rows)
        except (OperationalError, InterfaceError) as error:
            # Locked, full, gone: the rows stay for the next round, new calls wait in the bounded queue.
            self._complain("the request history cannot be written now: %s", error)
            close_broken()
            self._mend(error)
            return False
        except DatabaseError as error:
            if self._mend(error):
                return False
            self._complain("rows of the request history are refused: %s", error)
            self._write_one_by_one(rows)
        except Exception as error:
            self._complain("rows of the request history are lost: %s", error)
            self.dropped += len(rows)
            self.written -= len(rows)
        self.written += len(rows)
        self._since_pruned += len(rows)
        self._rows = []
        if self._since_pruned >= _PRUNE_EVERY:
            self._since_pruned = 0
            self._prune()
        return True

    def _write_counts(self) -> None:
        try:
            self.tally.write()
        except (OperationalError, InterfaceError) as error:
            self._complain("what was counted of calls cannot be written now: %s", error)
            close_broken()
            self._mend(error)

    def _mend(self, error: Exception) -> bool:
        """Make a broken file anew; whether it was one. What waits is written into it in the next round."""
        if not is_broken(error):
            return False
        try:
            replace()
        except (DatabaseError, OSError) as other:
            self._complain("the request history cannot be made anew: %s", other)
        return True

    def _write_one_by_one(self, rows: list[Row]) -> None:
        for row in rows:
            try:
                insert([row])
            except DatabaseError:
                self.dropped += 1
                self.written -= 1

    def _prune(self) -> None:
        try:
            prune(self.kept)
        except DatabaseError as error:
            self._complain("the request history cannot be pruned: %s", error)

    def _complain(self, message: str, error: Exception) -> None:
        now = time.monotonic()
        if now - self._logged_at > _LOG_SECONDS:
            self._logged_at = now
            _log.warning(message, error)


def _weight(call: Call) -> int:
    sent = call.sent
    return 500 + len(call.answer) + (len(sent.raw_body) if sent is not None else 0)


def _write_uses() -> None:
    try:
        write_uses()
    except DatabaseError as error:
        _log.warning("the last use of keys cannot be written now: %s", error)


_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_COPY = f'COPY "{_TABLE}" ({_NAMES}) FROM STDIN'
_inserts: dict[int, str] = {}


def _insert_sql(count: int) -> str:
    sql = _inserts.get(count)
    if sql is None:
        one = "(" + ", ".join("?" * len(COLUMNS)) + ")"
        values = ", ".join([one] * count)
        sql = _inserts[count] = f'INSERT INTO "{_TABLE}" ({_NAMES}) VALUES {values}'
    return sql


def insert(rows: list[Row]) -> None:
    """Write rows at once, all or none. Django's DatabaseError when the database refuses."""
    if not rows:
        return
    connection = connections["history"]
    with transaction.atomic(using="history"), connection.wrap_database_errors:
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            flat = [value for row in rows for value in row]
            connection.connection.execute(_insert_sql(len(rows)), flat)
        else:
            with connection.connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                for row in rows:
                    copy.write_row(row)


history = History()


def note(call: Call) -> None:
    """Keep a call for the writer, who counts it, and writes it down when the history is on."""
    history.note(call)


def note_limited(plan: EndpointPlan) -> None:
    """Count a call that a limit turned away."""
    history.tally.limited(plan.group.workspace_id, plan.endpoint_id)
