"""A transaction whose changes are never kept: everything that is written inside is rolled back at its end.

SQLite has one write lock for all. So a rehearsal there begins its transaction at the first statement that writes;
until then it reads as every call does, and holds up nobody (Django would take the lock with `BEGIN IMMEDIATE` at
once, and a plain `BEGIN` could fail at the first write when somebody else has committed meanwhile: data.md §2.3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from stackyard.core.connection import own_connection

from .database import busy_when_locked
from .sql import Statement
from .store import Store

_READS = re.compile(r"\s*(SELECT|EXPLAIN|PRAGMA|VALUES|WITH(?!.*\b(INSERT|UPDATE|DELETE)\b))\b", re.S | re.I)


class Rehearsal:
    """What is known of one: `on_write` hears once, before the first write."""

    def __init__(self, on_write: Callable[[], None] | None = None) -> None:
        self.has_written = False
        self._on_write = on_write

    def before(self, sql: str) -> None:
        """A statement is about to run."""
        if not self.has_written and _READS.match(sql) is None:
            self.has_written = True
            self._begin()
            if self._on_write is not None:
                self._on_write()

    def _begin(self) -> None:
        connection = own_connection()
        if connection.vendor == "sqlite" and not connection.connection.in_transaction:
            with busy_when_locked(), connection.wrap_database_errors:
                connection.connection.execute("BEGIN IMMEDIATE")

    def watch(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Django's own statements, savepoints among them (https://docs.djangoproject.com/en/5.2/topics/db/instrumentation/)."""
        self.before(sql)
        return execute(sql, params, many, context)


class RehearsalStore(Store):
    """The records, as a rehearsal may change them."""

    def __init__(self, store: Store, rehearsal: Rehearsal) -> None:
        super().__init__(store.schema, on_query=store.on_query)
        self._rehearsal = rehearsal

    def execute(self, statement: Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a compiled statement."""
        self._rehearsal.before(statement.sql)
        return super().execute(statement, values)


@contextmanager
def rehearsing(rehearsal: Rehearsal) -> Iterator[None]:
    """Roll back at the end whatever is written inside, by Django's models or by a `RehearsalStore`."""
    connection = own_connection()
    with _late_begin(connection), transaction.atomic():
        with connection.execute_wrapper(rehearsal.watch):
            yield
        transaction.set_rollback(True)


@contextmanager
def _late_begin(connection: Any) -> Iterator[None]:
    """Let the outermost `atomic` of SQLite count as begun although nothing is sent to the database yet."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    connection.ensure_connection()
    connection._start_transaction_under_autocommit = lambda: None
    try:
        yield
    finally:
        del connection._start_transaction_under_autocommit
