"""Rollups: calls counted per minute, hour, day and ever, per endpoint and whole workspace.

The history's writer counts what it takes from its queue (`Tally.count`) and writes the counts once a second: nothing is
done on a request's way. Web processes add to the same rows: each locks the rows it adds to, in one order, for the
moment of the addition.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from django.db import connections, transaction

from .spread import Spread, add, bucket_of, packed, unpacked

if TYPE_CHECKING:
    from .history import Call

MINUTE, HOUR, DAY = 60, 3600, 86_400
EVER = 0
STEPS = (MINUTE, HOUR, DAY, EVER)
WHOLE = 0
"""The endpoint id of a workspace's own row: all its endpoints together."""
KEPT_SECONDS = {MINUTE: 2 * DAY, HOUR: 35 * DAY, DAY: 400 * DAY}
OTHER_CODES = "OTHER_CODES"
"""The error group of what is past `_CODES_AN_HOUR` different ones: a stack may make up codes without end."""
_CODES_AN_HOUR = 1_000
_CELLS = 50_000
_CHUNK = 100
_TABLE = "endpoints_rollup"
_ERRORS = "endpoints_errorgroup"


class Key(NamedTuple):
    """Whose row: `step_seconds` long from `started_at` (epoch seconds, UTC); endpoint `WHOLE` is the workspace."""

    workspace_id: int
    endpoint_id: int
    step_seconds: int
    started_at: int


class ErrorKey(NamedTuple):
    """Errors of one kind in one hour: same endpoint, status, code and line of the stack."""

    started_at: int
    workspace_id: int
    endpoint_id: int
    status: int
    code: str
    place: str


@dataclass(slots=True)
class Cell:
    """What is added to a row. `refused` are answers 4xx, `failed` 5xx, `limited` 429 by a limit (not among the calls)."""

    calls: int = 0
    refused: int = 0
    failed: int = 0
    limited: int = 0
    total_us: int = 0
    slowest_us: int = 0
    spread: Spread = field(default_factory=dict)

    def merge(self, other: Cell) -> None:
        """Add another one."""
        self.calls += other.calls
        self.refused += other.refused
        self.failed += other.failed
        self.limited += other.limited
        self.total_us += other.total_us
        self.slowest_us = max(self.slowest_us, other.slowest_us)
        add(self.spread, other.spread)


@dataclass(slots=True)
class Errors:
    """Errors of one kind: how many, the last one's time (epoch milliseconds) and request id."""

    calls: int = 0
    last_at: int = 0
    request_id: str = ""


class Tally:
    """Counts that are not written yet. `count` and `write` are for one thread, `limited` for all."""

    def __init__(self) -> None:
        self._minutes: dict[tuple[int, int, int], Cell] = {}
        self._errors: dict[ErrorKey, Errors] = {}
        self._limited: dict[tuple[int, int], int] = {}
        self._hour = 0
        self._codes: set[ErrorKey] = set()
        self._lock = threading.Lock()

    def count(self, call: Call) -> None:
        """Count a call of the queue."""
        plan = call.plan
        key = (plan.group.workspace_id, plan.endpoint_id, int(call.started_at) // MINUTE * MINUTE)
        cell = self._minutes.get(key)
        if cell is None:
            if len(self._minutes) >= _CELLS:
                return
            cell = self._minutes[key] = Cell()
        duration_us, status = call.duration_ns // 1000, call.status
        cell.calls += 1
        cell.total_us += duration_us
        if duration_us > cell.slowest_us:
            cell.slowest_us = duration_us
        bucket, spread = bucket_of(duration_us), cell.spread
        spread[bucket] = spread.get(bucket, 0) + 1
        if status >= 400:
            self._count_error(call, cell)

    def _count_error(self, call: Call, cell: Cell) -> None:
        if call.status >= 500:
            cell.failed += 1
        else:
            cell.refused += 1
        plan, hour = call.plan, int(call.started_at) // HOUR * HOUR
        key = ErrorKey(
            hour,
            plan.group.workspace_id,
            plan.endpoint_id,
            call.status,
            call.error_code[:100],
            call.place[:100],
        )
        if hour != self._hour:
            self._hour, self._codes = hour, set()
        if key not in self._codes:
            if len(self._codes) < _CODES_AN_HOUR:
                self._codes.add(key)
            else:
                key = key._replace(code=OTHER_CODES, place="")
        errors = self._errors.setdefault(key, Errors())
        errors.calls += 1
        errors.last_at, errors.request_id = int(call.started_at * 1000), call.request_id

    def limited(self, workspace_id: int, endpoint_id: int) -> None:
        """Count a call that a limit turned away: on the request's way, and nothing else is kept of it."""
        key = (workspace_id, endpoint_id)
        with self._lock:
            self._limited[key] = self._limited.get(key, 0) + 1

    def write(self) -> None:
        """Write and forget what was counted. Django's DatabaseError when the database refuses; then nothing is forgotten."""
        self._take_limited()
        if not self._minutes and not self._errors:
            return
        with transaction.atomic(using="history"):
            _add(_cells(self._minutes))
            _add_errors(self._errors)
        self._minutes, self._errors = {}, {}

    def _take_limited(self) -> None:
        with self._lock:
            taken, self._limited = self._limited, {}
        minute = int(time.time()) // MINUTE * MINUTE
        for (workspace_id, endpoint_id), calls in taken.items():
            self._minutes.setdefault((workspace_id, endpoint_id, minute), Cell()).limited += calls

    def forget(self) -> None:
        """Forget what was not written yet."""
        self.__init__()  # type: ignore[misc]


def _cells(minutes: Mapping[tuple[int, int, int], Cell]) -> dict[Key, Cell]:
    """The rows that minutes of endpoints add to: each of their steps, their own and their workspace's."""
    cells: dict[Key, Cell] = {}
    for (workspace_id, endpoint_id, minute), cell in minutes.items():
        for whose in (endpoint_id, WHOLE):
            for step in STEPS:
                started_at = minute // step * step if step else 0
                cells.setdefault(Key(workspace_id, whose, step, started_at), Cell()).merge(cell)
    return cells


_NAMES = "workspace_id, endpoint_id, step_seconds, started_at"
_INSERT = (
    f'INSERT INTO "{_TABLE}" ({_NAMES}, calls, refused, failed, limited, total_us, slowest_us, spread)'
    " VALUES (%s, %s, %s, %s, 0, 0, 0, 0, 0, 0, %s) ON CONFLICT DO NOTHING"
)
_UPDATE = (
    f'UPDATE "{_TABLE}" SET calls = calls + %s, refused = refused + %s, failed = failed + %s, limited = limited + %s,'
    " total_us = total_us + %s, slowest_us = CASE WHEN slowest_us < %s THEN %s ELSE slowest_us END, spread = %s"
    " WHERE id = %s"
)
_UPSERT_ERROR = (
    f'INSERT INTO "{_ERRORS}" (started_at, workspace_id, endpoint_id, status, code, place, calls, last_at, request_id)'
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
    " ON CONFLICT (started_at, workspace_id, endpoint_id, status, code, place) DO UPDATE"
    f' SET calls = "{_ERRORS}".calls + excluded.calls, last_at = excluded.last_at, request_id = excluded.request_id'
)


def _add(cells: Mapping[Key, Cell]) -> None:
    """Add to the rows, in the order of their keys: two processes can't wait for each other."""
    keys = sorted(cells)
    for at in range(0, len(keys), _CHUNK):
        chunk = keys[at : at + _CHUNK]
        held = _locked(chunk)
        if len(held) < len(chunk):
            new = [(*key, b"") for key in chunk if key not in held]
            with connections["history"].cursor() as cursor:
                cursor.executemany(_INSERT, new)
            held = _locked(chunk)
        changes = []
        for key in chunk:
            row_id, spread = held[key]
            cell = cells[key]
            add(spread, cell.spread)
            counts = (cell.calls, cell.refused, cell.failed, cell.limited, cell.total_us)
            changes.append((*counts, cell.slowest_us, cell.slowest_us, packed(spread), row_id))
        with connections["history"].cursor() as cursor:
            cursor.executemany(_UPDATE, changes)


def _locked(keys: Sequence[Key]) -> dict[Key, tuple[int, Spread]]:
    """Id and spread of the rows that are there, locked until the end of the transaction (on SQLite the file is)."""
    connection = connections["history"]
    places = ", ".join(["(%s, %s, %s, %s)"] * len(keys))
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT {_NAMES}, id, spread FROM "{_TABLE}" WHERE ({_NAMES}) IN (VALUES {places}) ORDER BY {_NAMES}{lock}',
            [value for key in keys for value in key],
        )
        return {Key(*row[:4]): (row[4], unpacked(row[5])) for row in cursor.fetchall()}


def _add_errors(errors: Mapping[ErrorKey, Errors]) -> None:
    rows: Iterable[ErrorKey] = sorted(errors)
    changes = [(*key, errors[key].calls, errors[key].last_at, errors[key].request_id) for key in rows]
    if changes:
        with connections["history"].cursor() as cursor:
            cursor.executemany(_UPSERT_ERROR, changes)


def prune(now: float | None = None) -> int:
    """Delete rows whose time has passed (`KEPT_SECONDS`); how many."""
    from .models import ErrorGroup, Rollup

    now = time.time() if now is None else now
    deleted = 0
    for step, kept in KEPT_SECONDS.items():
        deleted += Rollup.objects.filter(step_seconds=step, started_at__lt=now - kept).delete()[0]
    return deleted + ErrorGroup.objects.filter(started_at__lt=now - KEPT_SECONDS[HOUR]).delete()[0]
