"""Running compiled statements on Django's own connection, beneath Django's cursor.

The cursor wrapper costs 30-65 µs a statement (data.md §1.1), so statements go to the driver directly,
within the same transaction and with the same wrapping of errors. What a database reports becomes a
Problem here, or one of two signals for the store: `Doubled` and `Moved`.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.backends.signals import connection_created
from django.db.utils import Error

from stackyard.core.connection import own_connection
from stackyard.core.errors import Detail, Problem

from .aggregate_sql import ExactSum, as_float, ratio
from .computed_values import compute
from .regex import matches as regex_matches
from .time_parts import part_of
from .types.geo_point import distance

LONGEST_TEXT = 10_000_000
"""Bytes of one value while a SELECT that a person wrote runs on SQLite."""
_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION}
OnQuery = Callable[[str, float, int], None]
Rows = list[tuple[Any, ...]]


class Doubled(Exception):
    """A unique index refused a value. `index` is its physical name, or `columns` its columns (SQLite)."""

    def __init__(self, index: str | None, columns: tuple[str, ...]) -> None:
        super().__init__(index or ", ".join(columns))
        self.index = index
        self.columns = columns


class Moved(Exception):
    """A table or column of the statement is not there (any more): the schema is out of date."""


def execute(sql: str, params: Sequence[Any], on_query: OnQuery | None = None) -> Rows:
    """Run one statement and fetch all its rows."""
    connection = own_connection()
    raw = connection.connection
    if raw is None:
        connection.ensure_connection()
        raw = connection.connection
    if connection.needs_rollback:
        raise broken_transaction()
    started = time.perf_counter() if on_query is not None or connection.queries_logged else 0.0
    try:
        with connection.wrap_database_errors:
            rows = _run(connection.vendor, raw, sql, params)
    except Error as error:
        raise explained(error) from error
    if started:
        _report(sql, time.perf_counter() - started, len(rows), on_query)
    return rows


def _run(vendor: str, raw: Any, sql: str, params: Sequence[Any]) -> Rows:
    if vendor == "sqlite":
        rows: Rows = raw.execute(sql, params).fetchall()
        return rows
    cursor = _postgresql_cursor(raw)
    cursor.execute(sql, params)
    # Not `description`: it would build a column's description for each column, for a third of the whole price.
    rows = cursor.fetchall() if cursor.pgresult.nfields else []
    cursor.close()
    return rows


def _postgresql_cursor(raw: Any) -> Any:
    """Binding on the server, nothing prepared (preparing gains nothing and breaks under ALTER: data.md §2.1)."""
    from psycopg import Cursor  # here, because SQLite must do without psycopg

    return Cursor(raw)


def run_limited(
    sql: str,
    params: Sequence[Any],
    seconds: float,
    tables: frozenset[str],
    on_query: OnQuery | None = None,
) -> tuple[list[str], Rows]:
    """Run a SELECT that a person wrote: the names of its columns and its rows, within a time and without writing.

    `tables` are the physical ones it reads. `params` belong to `:b1`, `:b2` … (SQLite) or `$1`, `$2` … (PostgreSQL). Problem `TIMEOUT`, and `INVALID_INPUT`
    with what the database says about the statement.
    """
    connection = own_connection()
    connection.ensure_connection()
    if connection.needs_rollback:
        raise broken_transaction()
    started = time.perf_counter()
    try:
        with connection.wrap_database_errors:
            if connection.vendor == "sqlite":
                names, rows = _limited_on_sqlite(connection.connection, sql, params, seconds, tables)
            else:
                names, rows = _limited_on_postgresql(sql, params, seconds)
    except Error as error:
        raise _explained_select(error) from error
    _report(sql, time.perf_counter() - started, len(rows), on_query)
    return names, rows


def _limited_on_sqlite(
    raw: Any, sql: str, params: Sequence[Any], seconds: float, tables: frozenset[str]
) -> tuple[list[str], Rows]:
    def allowed(action: int, what: str | None, *_: Any) -> int:
        # The statement's own views have a blank in their names, which no table has.
        reads = action == sqlite3.SQLITE_READ and (not what or what in tables or " " in what)
        return sqlite3.SQLITE_OK if reads or action in _READING else sqlite3.SQLITE_DENY

    deadline = time.monotonic() + seconds
    longest = raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_TEXT)
    raw.set_progress_handler(lambda: time.monotonic() > deadline, 20_000)
    raw.set_authorizer(allowed)
    try:
        cursor = raw.execute(sql, {f"b{n}": value for n, value in enumerate(params, 1)})
        return [column[0] for column in cursor.description], cursor.fetchall()
    finally:
        raw.set_authorizer(None)
        raw.set_progress_handler(None, 0)
        raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)


def _limited_on_postgresql(sql: str, params: Sequence[Any], seconds: float) -> tuple[list[str], Rows]:
    from psycopg import RawCursor

    with transaction.atomic():
        # Its own savepoint, taken back: what is set here ends here.
        outer = transaction.savepoint()
        try:
            cursor = RawCursor(connection.connection)
            cursor.execute(f"SET LOCAL statement_timeout = {int(seconds * 1000)}".encode())
            cursor.execute(b"SET LOCAL transaction_read_only = on")
            cursor.execute(sql.encode(), params)
            return [column.name for column in cursor.description or ()], cursor.fetchall()
        finally:
            transaction.savepoint_rollback(outer)


def _explained_select(error: Error) -> Exception:
    """What the database says of a SELECT that a person wrote."""
    text, state = str(error), getattr(error.__cause__, "sqlstate", None)
    if text == "interrupted" or state == "57014":
        return Problem("TIMEOUT", "The statement took too long.", suggestion="Narrow it, or add an index.")
    known = explained(error)
    if isinstance(known, Moved) or state is None or state[:2] in ("22", "42"):
        first = text.splitlines()[0] if text else "it can't be run"
        return Problem("INVALID_INPUT", f"sql: {first}", details=[Detail("sql", "sql", first)])
    return known


def _report(sql: str, seconds: float, rows: int, on_query: OnQuery | None) -> None:
    if connection.queries_logged:
        connection.queries_log.append({"sql": sql, "time": f"{seconds:.3f}"})
    if on_query is not None:
        on_query(sql, seconds, rows)


_SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (.+)")
_SQLITE_MOVED = re.compile(r"no such (?:column|table)|has no column named|ON CONFLICT clause does not match")
_BUSY = {"55P03", "40P01", "40001", "57P01", "57P02", "57P03", "53300"}


def explained(error: Error) -> Exception:
    """What a database error means, as far as it is anything a caller can understand."""
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return _explain_postgresql(error, str(state))
    text = str(cause)
    found = _SQLITE_UNIQUE.search(text) if isinstance(error, IntegrityError) else None
    if found is not None:
        return Doubled(None, tuple(part.split(".")[-1] for part in found[1].split(", ")))
    if _SQLITE_MOVED.search(text):
        return Moved(text)
    if getattr(cause, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return busy()
    if getattr(cause, "sqlite_errorname", "") == "SQLITE_FULL":
        return no_room()
    if connection.vendor == "postgresql" and not connection.is_usable():
        return busy()
    return error


def _explain_postgresql(error: Error, state: str) -> Exception:
    if state == "23505":
        return Doubled(error.__cause__.diag.constraint_name, ())  # type: ignore[union-attr]
    # Undefined column, table or schema; no unique index for ON CONFLICT.
    if state in ("42703", "42P01", "3F000", "42P10"):
        return Moved(str(error))
    if state == "25P02":
        return broken_transaction()
    if state in _BUSY or state.startswith("08"):
        return busy()
    if state == "53100":
        return no_room()
    if state == "57014":
        return Problem("TIMEOUT", "The database took too long to answer.")
    if state in ("2201B", "54001"):
        return Problem("INVALID_INPUT", "The condition is too complex for the database.")
    return error


def busy() -> Problem:
    """503: somebody else holds what is needed, or the database is away."""
    return Problem(
        "BUSY", "The database is busy.", suggestion="Try again in a moment.", headers={"Retry-After": "1"}
    )


def no_room() -> Problem:
    """503: nothing can be written until somebody makes room."""
    return Problem(
        "BUSY",
        "The disk of the database is full.",
        suggestion="Make room on the disk.",
        headers={"Retry-After": "60"},
    )


def broken_transaction() -> Problem:
    """503: an earlier error (a lock that did not come, a time-out) has ended the transaction that goes on here."""
    return Problem(
        "BUSY",
        "The transaction was ended by an earlier error and can only be undone.",
        suggestion="Let that error leave the transaction, and try the whole of it again.",
    )


@contextmanager
def busy_when_locked() -> Iterator[None]:
    """Turn a lock that did not come in time, at the begin or the end of a transaction, into Problem `BUSY`."""
    try:
        yield
    except OperationalError as error:
        meant = explained(error)
        raise meant if isinstance(meant, Problem) else error from error


def _teach_sqlite(sender: Any, connection: Any, **kwargs: Any) -> None:
    """Functions that SQLite lacks: letters in lower case (all alphabets), regular expressions, exact arithmetic."""
    if connection.vendor == "sqlite":
        raw = connection.connection
        for name, count, function in _FUNCTIONS:
            raw.create_function(name, count, function, deterministic=True)
        raw.create_aggregate("stackyard_sum", 1, ExactSum)


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


_FUNCTIONS: Sequence[tuple[str, int, Callable[..., Any]]] = (
    ("stackyard_lower", 1, _lower),
    ("stackyard_matches", 2, regex_matches),
    ("stackyard_compute", -1, compute),
    ("stackyard_part", 3, part_of),
    ("stackyard_float", 1, as_float),
    ("stackyard_ratio", -1, ratio),
    ("stackyard_distance", 4, distance),
)

connection_created.connect(_teach_sqlite, dispatch_uid="stackyard.tables.database")
