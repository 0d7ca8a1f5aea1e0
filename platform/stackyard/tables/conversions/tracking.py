"""Triggers on the columns of a conversion, for writers whose schema is older than it.

Who knows of the conversion writes both columns. Who does not (a request that began before it, an import) changes the old
column alone: a trigger notes the record's id in a queue, which the job works off, the last time under the lock of the
switch. After the switch such a write would be lost, so it is refused as a column that is gone is: the store then loads the
schema of now and writes once more (data.md §2.1.7).
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from stackyard.tables import ddl
from stackyard.tables.models import Field, Table


def queue_name(table: Table, new: str) -> str:
    """The SQL name of the queue of a conversion to the column `new`."""
    return ddl.within(table.workspace_id, ddl.named(table, f"{new}_queue"))


def watch(table: Table, old: Field, new: Field) -> None:
    """Make the queue and the triggers that fill it. Called in the transaction that adds the column."""
    for one in table.each_source():
        ddl.run(f"CREATE TABLE {queue_name(one, new.physical)} (id bigint NOT NULL)")
        note = f"INSERT INTO {queue_name(one, new.physical)} (id) VALUES (NEW.id)"
        _make(one, old.physical, new.physical, "note", note, after=True)


def refuse(table: Table, old: str, new: str) -> None:
    """From now on the old column is written only together with the new one."""
    unwatch(table, new)
    for one in table.each_source():
        _refuse_in(one, old, new)


def _refuse_in(table: Table, old: str, new: str) -> None:
    # As a database says it of a column that is not there.
    if connection.vendor == "sqlite":
        _make(table, old, new, "late", f"SELECT RAISE(ABORT, 'no such column: {old}')", after=False)
    else:
        ddl.run(f"ALTER TABLE {ddl.table_name(table)} ALTER COLUMN {ddl.quoted(old)} DROP DEFAULT")
        text = f"RAISE EXCEPTION 'column {old} has moved' USING ERRCODE = '42703'"
        _make(table, old, new, "late", text, after=False)


def unwatch(table: Table, new: str) -> None:
    """Take away whatever of this is there."""
    for one in table.each_source():
        unwatch_one(one, new)


def unwatch_one(table: Table, new: str) -> None:
    """The same for one SQL table."""
    for kind in ("note", "late"):
        for deed in ("i", "u"):
            name = ddl.quoted(ddl.named(table, f"{new}_{kind}_{deed}"))
            on = "" if connection.vendor == "sqlite" else f" ON {ddl.table_name(table)}"
            ddl.run(f"DROP TRIGGER IF EXISTS {name}{on}")
        if connection.vendor == "postgresql":
            ddl.run(f"DROP FUNCTION IF EXISTS {_function(table, new, kind)}()")
    ddl.run(f"DROP TABLE IF EXISTS {queue_name(table, new)}")


def _make(table: Table, old: str, new: str, kind: str, deed: str, *, after: bool) -> None:
    """Two triggers: on a changed old column beside an unchanged new one, and on a new record with the old one only."""
    target, was, becomes = ddl.table_name(table), ddl.quoted(old), ddl.quoted(new)
    when = "AFTER" if after else "BEFORE"
    if connection.vendor == "sqlite":
        body, differs, same = f"BEGIN {deed}; END", "IS NOT", "IS"
    else:
        function = _function(table, new, kind)
        ddl.run(
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $body$ BEGIN {deed}; RETURN NEW; END $body$"
        )
        body = f"EXECUTE FUNCTION {function}()"
        differs, same = "IS DISTINCT FROM", "IS NOT DISTINCT FROM"
    changed = f"NEW.{was} {differs} OLD.{was} AND NEW.{becomes} {same} OLD.{becomes}"
    alone = f"NEW.{was} IS NOT NULL AND NEW.{becomes} IS NULL"
    name = ddl.quoted(ddl.named(table, f"{new}_{kind}_u"))
    ddl.run(f"CREATE TRIGGER {name} {when} UPDATE OF {was} ON {target} FOR EACH ROW WHEN ({changed}) {body}")
    if kind == "late" and connection.vendor == "sqlite" and _has_default(table, old):
        # SQLite can't take a column's default away, and it would look like somebody's value.
        return
    name = ddl.quoted(ddl.named(table, f"{new}_{kind}_i"))
    ddl.run(f"CREATE TRIGGER {name} {when} INSERT ON {target} FOR EACH ROW WHEN ({alone}) {body}")


def _function(table: Table, new: str, kind: str) -> str:
    """The SQL name of the function behind PostgreSQL's triggers."""
    return ddl.within(table.workspace_id, ddl.named(table, f"{new}_{kind}"))


def _has_default(table: Table, column: str) -> bool:
    rows: Sequence[tuple[object, ...]] = ddl.run(
        f"SELECT name, dflt_value FROM pragma_table_info('{table.physical}')"
    )
    return any(name == column and default is not None for name, default in rows)
