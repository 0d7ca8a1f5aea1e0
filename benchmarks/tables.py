"""The store against plain SQL over the same million records: `python -m benchmarks.tables` in an installation of its own.

Prints JSON: for each measurement the costs of both sides in rounds that take turns. `get` is processor time
against Django's cursor with the SQL at hand; pages, a filtered list and groups are time against the driver, whose
rows become dictionaries. The records are made by one statement and kept with the installation.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from typing import Any

import django

RECORDS = 1_000_000
DEEP = 500_000
ROUNDS = 9
TABLE = "orders"
FIELDS: dict[str, Any] = {
    "customer": "int",
    "status": {"type": "enum", "values": ["open", "paid", "gone"]},
    "total": "decimal",
    "count": "int",
    "weight": "float",
    "is_gift": "bool",
    "paid_at": "timestamp",
    "note": "text",
    "meta": "json",
}
# What each column holds in record n, for both databases.
VALUES = {
    "created_at": "1700000000000 + n * 1000",
    "customer": "n % 5000",
    "status": "CASE n % 3 WHEN 0 THEN 'open' WHEN 1 THEN 'paid' ELSE 'gone' END",
    "total": "n % 100000",
    "count": "n % 7",
    "weight": "n / 8.0",
    "is_gift": "n % 2",
    "paid_at": "1700000000000 + n",
    "note": "'note ' || n",
    "meta": "'{\"n\": 1}'",
}
ON_POSTGRESQL = {"total": "(n % 100000) / 100.0", "is_gift": "n % 2 = 0", "meta": "'{\"n\": 1}'::jsonb"}

Side = Callable[[], Any]


def main() -> dict[str, dict[str, list[float]]]:
    """Make what is missing, then measure. ValueError when the two sides do not answer alike."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stackyard.settings")
    django.setup()
    store = _filled_store()
    return {
        "get, CPU µs": _rounds(*_get(store), 3_000, time.process_time),
        "page of 20, first, µs": _rounds(*_page(store, None), 300),
        "page of 20, at row 500,000, µs": _rounds(*_page(store, DEEP), 300),
        "page of 20, filtered, µs": _rounds(*_filtered(store), 300),
        "groups of a million, ms": {
            side: [one / 1000 for one in costs]
            for side, costs in _rounds(*_groups(store), 1, rounds=3).items()
        },
        **_field_changes(),
    }


def _filled_store() -> Any:
    from stackyard.core.models import Workspace
    from stackyard.core.workspaces import create_workspace
    from stackyard.start.installation import migrate
    from stackyard.tables.changes import create_table
    from stackyard.tables.query import Query
    from stackyard.tables.schema import load_schema
    from stackyard.tables.store import Store

    migrate()
    workspace = Workspace.objects.filter(name="bench").first() or create_workspace("bench")
    if TABLE not in load_schema(workspace.pk).tables:
        create_table(workspace, TABLE, fields=FIELDS)
    store = Store(load_schema(workspace.pk))
    if store.query(Query(TABLE, return_="count")) != RECORDS:
        store.clear(TABLE)
        _fill(store)
    return store


def _fill(store: Any) -> None:
    """A million records in one statement of the database's own."""
    from django.db import connection

    table = store.schema.table(TABLE)
    is_sqlite = connection.vendor == "sqlite"
    values = VALUES if is_sqlite else {**VALUES, **ON_POSTGRESQL}
    numbers = (
        f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {RECORDS}) "
        if is_sqlite
        else ""
    )
    source = "numbers" if is_sqlite else f"generate_series(1, {RECORDS}) AS numbers(n)"
    columns = ", ".join(table.fields[name].column for name in values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_physical(table)} ({columns}) {numbers}SELECT {', '.join(values.values())} FROM {source}"
        )
        cursor.execute("ANALYZE" if is_sqlite else f"VACUUM ANALYZE {_physical(table)}")


def _physical(table: Any) -> str:
    return f"{table.namespace}.{table.physical}" if table.namespace else str(table.physical)


def _columns(table: Any) -> tuple[list[str], str]:
    fields = table.public_fields
    return [field.name for field in fields], ", ".join(field.column for field in fields)


def _rounds(
    ours: Side, plain: Side, calls: int, clock: Callable[[], float] = time.perf_counter, rounds: int = ROUNDS
) -> dict[str, list[float]]:
    """Microseconds a call of both sides, in turns."""
    found: dict[str, list[float]] = {"ours": [], "plain": []}
    ours(), plain()
    for _ in range(rounds):
        for name, side in (("ours", ours), ("plain", plain)):
            began = clock()
            for _ in range(calls):
                side()
            found[name].append((clock() - began) / calls * 1e6)
    return found


def _get(store: Any) -> tuple[Side, Side]:
    """One record by id; plain is Django's cursor."""
    from django.db import connection

    table = store.schema.table(TABLE)
    names, columns = _columns(table)
    sql = f"SELECT {columns} FROM {_physical(table)} WHERE id = %s"
    chance = random.Random(5)

    def plain() -> dict[str, Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql, [chance.randrange(1, RECORDS)])
            return dict(zip(names, cursor.fetchone(), strict=True))

    return lambda: store.get(table, chance.randrange(1, RECORDS)), plain


def _run(sql: str, params: list[Any]) -> Any:
    """The driver alone: rows of a statement."""
    from django.db import connection

    if connection.vendor == "sqlite":
        return connection.connection.execute(sql, params).fetchall()
    from psycopg import Cursor

    with Cursor(connection.connection) as cursor:
        return cursor.execute(sql, params).fetchall()


def _page(store: Any, depth: int | None) -> tuple[Side, Side]:
    """20 records, the newest first, by cursor; as far down as `depth` records."""
    from django.core.signing import Signer

    from stackyard.tables import cursors
    from stackyard.tables.query import Query, Slot

    table = store.schema.table(TABLE)
    prepared = store.prepare(Query(TABLE, sort=["-created_at"], per_page=20, cursor=Slot(0)))
    cursor = ""
    where, params = "", [20]
    mark = _mark()
    if depth is not None:
        number = RECORDS - depth
        held = store.get(table, number)
        made_for, _ = Signer(salt=cursors._SALT).unsign_object(prepared.run(store, [""])["nextCursor"])
        last = [table.fields["created_at"].type.to_json(held["created_at"]), number]
        cursor = Signer(salt=cursors._SALT).sign_object([made_for, last])
        where = f"WHERE (created_at, id) < ({mark}, {mark})"
        params = [1_700_000_000_000 + number * 1000, number, 20]
    names, columns = _columns(table)
    sql = f"SELECT {columns} FROM {_physical(table)} {where} ORDER BY created_at DESC, id DESC LIMIT {mark}"

    def plain() -> list[dict[str, Any]]:
        return [dict(zip(names, row, strict=True)) for row in _run(sql, params)]

    def ours() -> Any:
        return prepared.run(store, [cursor])

    if [record["id"] for record in ours()["items"]] != [record["id"] for record in plain()]:
        raise ValueError("different pages")
    return ours, plain


def _filtered(store: Any) -> tuple[Side, Side]:
    """20 of a customer's orders of one status, by id."""
    from stackyard.tables.query import Query, Slot

    table = store.schema.table(TABLE)
    where = {"status": Slot(0), "id": {"$gt": Slot(1)}}
    prepared = store.prepare(Query(TABLE, where=where, page=1, per_page=20))
    names, columns = _columns(table)
    mark, status = _mark(), table.fields["status"].column
    sql = f"SELECT {columns} FROM {_physical(table)} WHERE {status} = {mark} AND id > {mark} ORDER BY id LIMIT {mark}"

    def plain() -> list[dict[str, Any]]:
        return [dict(zip(names, row, strict=True)) for row in _run(sql, ["paid", DEEP, 20])]

    return lambda: prepared.run(store, ["paid", DEEP]), plain


def _groups(store: Any) -> tuple[Side, Side]:
    """Count and sum of all records, by status."""
    from stackyard.tables.query import Query

    table = store.schema.table(TABLE)
    asked = Query(TABLE, group_by="status", aggregate={"n": "count", "sum": {"sum": "total"}})
    prepared = store.prepare(asked)
    status, total = (table.fields[name].column for name in ("status", "total"))
    sql = (
        f"SELECT {status}, count(*), sum({total}) FROM {_physical(table)} GROUP BY {status} ORDER BY {status}"
    )
    return lambda: prepared.run(store), lambda: _run(sql, [])


def _field_changes(rounds: int = 5) -> dict[str, dict[str, list[float]]]:
    """Milliseconds that a person waits for a field to be added, renamed and dropped; there is no other side."""
    from stackyard.runs.models import Run
    from stackyard.runs.working import work
    from stackyard.tables import changes
    from stackyard.tables.dropping import dropped
    from stackyard.tables.models import Table

    table = Table.objects.get(name=TABLE, hidden_at=None)
    took: dict[str, list[float]] = {"added": [], "renamed": [], "dropped": []}

    def timed(what: str, deed: Side) -> Any:
        began = time.perf_counter()
        made = deed()
        took[what].append((time.perf_counter() - began) * 1000)
        return made

    for number in range(rounds):
        spec = {"type": "int", "required": True, "default": number}
        made = timed("added", lambda spec=spec: changes.add_field(table, "extra", spec))
        timed("renamed", lambda made=made: changes.rename_field(made, "other"))
        timed("dropped", lambda made=made: changes.hide_field(made))
    # The installation is kept: what was dropped goes for good now, and not in a week.
    for run in dropped(table.workspace):
        Run.objects.filter(pk=run.pk).update(run_after=run.created_at)
        work(run.pk)
    return {f"a field {what}, ms": {"ours": costs} for what, costs in took.items()}


def _mark() -> str:
    from django.db import connection

    return "?" if connection.vendor == "sqlite" else "%s"


if __name__ == "__main__":
    print(json.dumps(main()))
