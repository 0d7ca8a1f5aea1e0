"""The statements on the way of every run, made once: the ORM would compile each anew, at several times what it costs
to carry it out. They run on Django's connection and in its transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from django.db import models, transaction
from django.db.models.functions import Now
from django.db.models.sql import InsertQuery

from stackyard.core.connection import own_connection

from . import states
from .models import Run, RunEvent

# As Django spells them (django.db.models.functions.Now), and a time some seconds from now.
_NOW = {"sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')", "postgresql": "STATEMENT_TIMESTAMP()"}
_LATER = {
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', %s || ' seconds')",
    "postgresql": "STATEMENT_TIMESTAMP() + %s * INTERVAL '1 second'",
}
# What a statement changed, with an event for each, still in one statement: PostgreSQL alone can, and there every
# statement costs a round trip.
_AND_EVENT = """
WITH changed AS ({statement}), noted AS (
    INSERT INTO runs_runevent (run_id, name, fence, is_terminal, at)
    SELECT id, {name}, fence, {is_terminal}, {now} FROM changed
) SELECT * FROM changed
"""
_CLAIM = """
UPDATE runs_run SET state = 'running', fence = fence + 1, attempt = attempt + 1, lease_until = {later}, started_at = {now}
WHERE id = %s AND state = 'accepted' AND run_after <= {now} RETURNING {columns}
"""
_END = """
UPDATE runs_run SET state = %s, result = %s, error = %s, logs = %s, lease_until = NULL, finished_at = {now}
WHERE id = %s AND state = 'running' AND fence = %s {more} RETURNING {columns}
"""


def together() -> AbstractContextManager[Any]:
    """A transaction around one of the three deeds below; none where the deed is one statement anyway. Inside another
    it is a savepoint."""
    connection = own_connection()
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        return nullcontext()
    return transaction.atomic()


def accept(run: Run, now: tuple[str, ...]) -> None:
    """Add a new run, and the event; the fields named in `now` take the database's time. IntegrityError as the ORM."""
    connection = own_connection()
    text, fields = _insertion(Run, now, connection.vendor)
    if connection.vendor == "postgresql":
        text = _with_event(f"{text} RETURNING id, fence", states.ACCEPTED)
    _execute(connection, text, fields, run)
    if connection.vendor != "postgresql":
        note(run, states.ACCEPTED)


def note(run: Run, name: str, fence: int = 0, *, is_terminal: bool = False) -> None:
    """Add an event of a run."""
    connection = own_connection()
    text, fields = _insertion(RunEvent, (), connection.vendor)
    event = RunEvent(run_id=run.pk, name=name, fence=fence, is_terminal=is_terminal)
    _execute(connection, text, fields, event)


def _execute(connection: Any, text: str, fields: tuple[Any, ...], row: models.Model) -> None:
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(text, values)
    row._state.adding = False
    row._state.db = connection.alias


def claim(run_id: str | uuid.UUID, lease_seconds: float) -> Run | None:
    """Take a run that is accepted and due, with a lease from now on, and note it; the run as it is then, None when it
    is not there to be taken."""
    return _change(_CLAIM, "", [lease_seconds, _key(run_id)], states.RUNNING)


def end(run: Run, fence: int, values: Mapping[str, Any], *, expired: bool) -> Run | None:
    """Write `state`, `result`, `error` and `logs` of a run that is still held with this fence, and when `expired` only
    if its lease is over, and the terminal event; the run as it is then, None when it was not ours to write."""
    connection = own_connection()
    fields: list[Any] = [Run._meta.get_field(name) for name in ("state", "result", "error", "logs")]
    written = [field.get_db_prep_save(values[field.name], connection) for field in fields]
    more = "AND lease_until < {now}" if expired else ""
    return _change(_END, more, [*written, _key(run.pk), fence], values["state"], is_terminal=True)


def _change(
    statement: str, more: str, values: list[Any], event: str, is_terminal: bool = False
) -> Run | None:
    connection = own_connection()
    text = _text(statement, more, connection.vendor)
    if connection.vendor == "postgresql":
        text = _with_event(text, event, is_terminal)
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        row = cursor.fetchone()
    if row is None:
        return None
    run = _run_of(row, connection)
    if connection.vendor != "postgresql":
        note(run, event, run.fence, is_terminal=is_terminal)
    return run


@lru_cache
def _with_event(statement: str, name: str, is_terminal: bool = False) -> str:
    """PostgreSQL's statement that also notes an event; `name` is one of our own states."""
    if name not in states.ALL:
        raise ValueError(name)
    pieces = {"name": f"'{name}'", "is_terminal": str(is_terminal), "now": _NOW["postgresql"]}
    return _AND_EVENT.format(statement=statement, **pieces)


@lru_cache
def _text(statement: str, more: str, vendor: str) -> str:
    columns = ", ".join(str(field.column) for field in Run._meta.concrete_fields)
    pieces = {"now": _NOW[vendor], "later": _LATER[vendor]}
    return statement.format(more=more.format(**pieces), columns=columns, **pieces)


def _key(run_id: str | uuid.UUID) -> Any:
    value = run_id if isinstance(run_id, uuid.UUID) else uuid.UUID(run_id)
    return Run._meta.pk.get_db_prep_value(value, own_connection(), prepared=True)


def _run_of(row: tuple[Any, ...], connection: Any) -> Run:
    """A row of all columns as the ORM would give it."""
    values = list(row)
    if connection not in _readings:
        _readings[connection] = _reading(connection)
    for place, convert, expression in _readings[connection]:
        values[place] = convert(values[place], expression, connection)
    names = [field.attname for field in Run._meta.concrete_fields]
    return Run.from_db(connection.alias, names, values)


Reading = list[tuple[int, Callable[..., Any], Any]]
_readings: WeakKeyDictionary[Any, Reading] = WeakKeyDictionary()


def _reading(connection: Any) -> Reading:
    """What a connection's values go through on their way to the model's: place in the row, function, its expression."""
    compiler = Run.objects.all().query.get_compiler(connection=connection)
    found = compiler.get_converters([field.cached_col for field in Run._meta.concrete_fields])
    return [
        (place, convert, expression)
        for place, (converters, expression) in found.items()
        for convert in converters
    ]


@lru_cache
def _insertion(model: type[models.Model], now: tuple[str, ...], vendor: str) -> tuple[str, tuple[Any, ...]]:
    """What the ORM makes of an INSERT on this kind of database, and the fields whose values it takes."""
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    query = InsertQuery(model)
    query.insert_values(fields, [model(**dict.fromkeys(now, Now()))])
    ((text, _),) = query.get_compiler(connection=own_connection()).as_sql()
    return text, tuple(field for field in fields if field.name not in now)
