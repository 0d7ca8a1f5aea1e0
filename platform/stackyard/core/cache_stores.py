"""Where cached values are kept: a SQLite file that all processes of one machine share, or Redis."""

from __future__ import annotations

import fcntl
import math
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any, Protocol

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from .errors import Problem
from .limits import CACHE_BYTES, CACHE_ENTRIES

Raw = bytes | int
"""A value as it is kept: a whole number, or the JSON of anything else."""


class NotANumber(Exception):
    """What should grow is not a whole number, or would go past 64 bits."""


class Store(Protocol):
    """What both can do. Problem `CACHE_UNAVAILABLE` (503) when the store does not answer."""

    def get(self, workspace: int, key: str) -> Raw | None:
        """The value, or None when there is none any more."""

    def set(self, workspace: int, key: str, value: Raw, seconds: float) -> None:
        """Keep a value."""

    def delete(self, workspace: int, key: str) -> bool:
        """Take a value away; whether there was one."""

    def increment(self, workspace: int, key: str, by: int, seconds: float) -> int:
        """Add to a whole number at once; NotANumber."""


def unavailable() -> Problem:
    """503 `CACHE_UNAVAILABLE`."""
    return Problem("CACHE_UNAVAILABLE", "The cache does not answer now.", headers={"Retry-After": "1"})


_TABLE = """
CREATE TABLE IF NOT EXISTS entries (
    workspace INTEGER NOT NULL, key TEXT NOT NULL, value, ends_at REAL NOT NULL, UNIQUE (workspace, key)
);
CREATE INDEX IF NOT EXISTS entries_end ON entries (ends_at);
"""
_SET = """
INSERT INTO entries (workspace, key, value, ends_at) VALUES (?, ?, ?, ?)
ON CONFLICT (workspace, key) DO UPDATE SET value = excluded.value, ends_at = excluded.ends_at
"""
_INCREMENT = """
INSERT INTO entries (workspace, key, value, ends_at) VALUES (:workspace, :key, :by, :ends_at)
ON CONFLICT (workspace, key) DO UPDATE SET
    value = iif(ends_at <= :now, :by, value + :by), ends_at = iif(ends_at <= :now, :ends_at, ends_at)
WHERE ends_at <= :now OR (typeof(value) = 'integer' AND typeof(value + :by) = 'integer')
RETURNING value
"""
# The entries that end last stay, as many as there is room for.
_MAKE_ROOM = """
DELETE FROM entries WHERE rowid IN (
    SELECT rowid FROM (
        SELECT rowid, row_number() OVER latest AS place, sum(length(value)) OVER latest AS bytes
        FROM entries WHERE workspace = ? WINDOW latest AS (ORDER BY ends_at DESC, rowid DESC)
    ) WHERE place > ? OR bytes > ?
)
"""
_SWEEP_EVERY = 100
_BUSY_SECONDS = 5


class _Held(threading.local):
    connection: sqlite3.Connection | None = None
    process = 0


class FileStore:
    """A SQLite file; every statement is a transaction. Each thread has a connection of its own.

    A workspace keeps at most 10,000 entries and 100 MB. What is over, and what has ended, goes at the first and every
    hundredth write of a process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held = _Held()
        self._writes = 0
        self._is_prepared = False

    def get(self, workspace: int, key: str) -> Raw | None:
        """The value, or None when there is none any more."""
        rows = self._run(
            "SELECT value FROM entries WHERE workspace = ? AND key = ? AND ends_at > ?",
            (workspace, key, time.time()),
        )
        return rows[0][0] if rows else None

    def set(self, workspace: int, key: str, value: Raw, seconds: float) -> None:
        """Keep a value."""
        self._run(_SET, (workspace, key, value, time.time() + seconds))
        self._written(workspace)

    def delete(self, workspace: int, key: str) -> bool:
        """Take a value away; whether there was one."""
        rows = self._run(
            "DELETE FROM entries WHERE workspace = ? AND key = ? RETURNING ends_at", (workspace, key)
        )
        return bool(rows) and rows[0][0] > time.time()

    def increment(self, workspace: int, key: str, by: int, seconds: float) -> int:
        """Add to a whole number at once; NotANumber."""
        now = time.time()
        given = {"workspace": workspace, "key": key, "by": by, "now": now, "ends_at": now + seconds}
        rows = self._run(_INCREMENT, given)
        if not rows:
            raise NotANumber
        self._written(workspace)
        return int(rows[0][0])

    def make_room(self, workspace: int) -> None:
        """Take away what has ended, and what is too much."""
        self._run("DELETE FROM entries WHERE ends_at <= ?", (time.time(),))
        self._run(_MAKE_ROOM, (workspace, CACHE_ENTRIES.default, CACHE_BYTES.default))

    def _written(self, workspace: int) -> None:
        if self._writes % _SWEEP_EVERY == 0:
            self.make_room(workspace)
        self._writes += 1

    def _run(self, statement: str, values: Any) -> list[Any]:
        try:
            return self._connection().execute(statement, values).fetchall()
        except (sqlite3.Error, OSError):
            raise unavailable() from None

    def _connection(self) -> sqlite3.Connection:
        held = self._held
        # A connection must not be carried into a forked process.
        if held.connection is None or held.process != os.getpid():
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=_BUSY_SECONDS)
            self._prepare(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
            held.connection, held.process = connection, os.getpid()
        return held.connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make the table where there is none. One at a time: changing to WAL fails at once while others do the same."""
        if self._is_prepared:
            return
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(_TABLE)
        self._is_prepared = True


_REDIS_SECONDS = 1.0
_AWAY_SECONDS = 1.0


class RedisStore:
    """Redis; after a failure it is left alone for a second, so that a hanging server holds up few requests."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=_REDIS_SECONDS,
            socket_connect_timeout=_REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._away_until = -math.inf

    def get(self, workspace: int, key: str) -> Raw | None:
        """The value, or None when there is none any more."""
        raw: bytes | None = self._ask(lambda: self._redis.get(_name(workspace, key)))
        return raw

    def set(self, workspace: int, key: str, value: Raw, seconds: float) -> None:
        """Keep a value."""
        self._ask(lambda: self._redis.set(_name(workspace, key), value, px=_milliseconds(seconds)))

    def delete(self, workspace: int, key: str) -> bool:
        """Take a value away; whether there was one."""
        return bool(self._ask(lambda: self._redis.delete(_name(workspace, key))))

    def increment(self, workspace: int, key: str, by: int, seconds: float) -> int:
        """Add to a whole number at once; NotANumber."""
        name = _name(workspace, key)
        # Both or neither run at a time; the first only where there is no value yet.
        both = self._redis.pipeline(transaction=True)
        both.set(name, 0, px=_milliseconds(seconds), nx=True)
        both.incrby(name, by)
        return int(self._ask(both.execute)[1])

    def _ask(self, question: Any) -> Any:
        if time.monotonic() < self._away_until:
            raise unavailable()
        try:
            return question()
        except ResponseError:
            raise NotANumber from None
        except (RedisError, OSError):
            self._away_until = time.monotonic() + _AWAY_SECONDS
            raise unavailable() from None


def _name(workspace: int, key: str) -> str:
    return f"stackyard:cache:{workspace}:{key}"


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
