"""Writing many records at once: read all, refuse all faults together, then all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection

from stackyard.core.errors import Detail, Problem
from stackyard.core.jsonout import milliseconds
from stackyard.core.limits import BULK_RECORDS

from . import writing
from .conflicts import existing_ids, missing_targets
from .definitions import FieldDef, TableDef
from .field_type import Refused, shown
from .records import Reading, read_all
from .types.int import parse_int
from .types.timestamp import now

if TYPE_CHECKING:
    from .store import Store

Record = dict[str, Any]


def now_bound() -> int:
    """This instant as `created_at` keeps it."""
    return milliseconds(now())


def _check_items(store: Store, items: Any) -> None:
    if not isinstance(items, list | tuple):
        store.refuse_faults([Detail("items", "type", f"expected a list of records, got {shown(items)}")])
    if len(items) > BULK_RECORDS.default:
        message = f"must have at most {BULK_RECORDS.default:,} items"
        store.refuse_faults([Detail("items", "length", message)])


def add_many(
    store: Store,
    table: TableDef,
    items: Sequence[Any],
    imported: bool = False,
    check_references: bool = True,
) -> list[Record]:
    """Add records in one statement, in order; with `imported` they may bring `id` and `created_at`."""
    _check_items(store, items)
    known = store.reader(table)
    readings, details = read_all(known.imported if imported else known.new, items)
    store.refuse_faults(details)
    if not readings:
        return []
    moment = now_bound()
    for reading in readings:
        reading.bound.setdefault("created_at", moment)
    if imported and any("id" in reading.bound for reading in readings):
        return _import(store, table, readings, check_references)
    with store.transaction():
        if check_references:
            _check_references(store, table, readings)
        return _insert(store, table, readings)


def _import(
    store: Store, table: TableDef, readings: Sequence[Reading], check_references: bool
) -> list[Record]:
    """Records with ids of their own may refer to each other, so references are looked at afterwards."""
    if not all("id" in reading.bound for reading in readings):
        lacking = [n for n, reading in enumerate(readings) if "id" not in reading.bound]
        store.refuse_faults(
            [Detail(f"{n}.id", "required", "is required, as others have one") for n in lacking]
        )
    with store.transaction():
        records = _insert(store, table, readings)
        if check_references:
            _check_references(store, table, readings)
        if connection.vendor == "postgresql":
            move_sequence(store, table)
    return records


@dataclass(frozen=True, slots=True)
class Dangling:
    """A reference to nothing: the record's id, its field, and the id that is not there."""

    record: int
    field: FieldDef
    target: int


def dangling(store: Store, table: TableDef, limit: int) -> list[Dangling]:
    """The references of a table whose records are not there."""
    found = []
    for field in table.references:
        statement = writing.dangling(store.schema, table, field)
        rows = store.execute(statement, {"limit": limit})
        found += [Dangling(record, field, target) for record, target in rows]
    return found


def move_sequence(store: Store, table: TableDef) -> None:
    """Let PostgreSQL count on from the greatest id (SQLite does so by itself)."""
    name = f'"{table.namespace}"."{table.physical}"'
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence(%s, 'id'), (SELECT max(id) FROM {name}))", [name]
        )


def _insert(store: Store, table: TableDef, readings: Sequence[Reading]) -> list[Record]:
    columns = writing.columns_of(readings[0].bound)
    statement = writing.insert_many(store.schema, table, columns)
    rows = [[reading.bound[column] for column in columns] for reading in readings]
    binds: Mapping[str, Any]
    if store.schema.dialect == "sqlite":
        binds = {"rows": orjson.dumps(rows).decode()}
    else:
        binds = dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))
    written = store.write(table, statement, binds)
    # Ids rise in the order of the items.
    return store.load(table, sorted(written, key=lambda row: row[0]))


def _check_references(store: Store, table: TableDef, readings: Sequence[Reading]) -> None:
    for field in table.references:
        wanted = {r.references[field.column] for r in readings if field.column in r.references}
        target = store.schema.tables_by_id[field.target]
        if wanted - existing_ids(store, target, wanted, lock=True):
            raise missing_targets(store, table, readings, bulk=True)


def change_many(store: Store, table: TableDef, items: Sequence[Any], whole: bool) -> list[Record]:
    """`edit` or `patch` each item by its `id`, all or none."""
    _check_items(store, items)
    known = store.reader(table)
    read = known.whole if whole else known.part
    details: list[Detail] = []
    ids = [_id(item, index, details) for index, item in enumerate(items)]
    bare = [
        {k: v for k, v in item.items() if k != "id"} if isinstance(item, Mapping) else item for item in items
    ]
    readings, more = read_all(read, bare)
    store.refuse_faults([*details, *more])
    with store.transaction():
        records = []
        for index, (number, reading) in enumerate(zip(ids, readings, strict=True)):
            found = store.update(table, table.fields["id"], number, reading)
            if found is None:
                message = f"There is no record of {table.name} with id {number}."
                raise Problem("NOT_FOUND", message, details=[Detail(f"{index}.id", "not_found", message)])
            records.append(found)
        return records


def _id(item: Any, index: int, details: list[Detail]) -> Any:
    if not isinstance(item, Mapping):
        return None  # read_all says so
    try:
        if item.get("id") is None:
            details.append(Detail(f"{index}.id", "required", "is required"))
            return None
        return parse_int(item["id"])
    except Refused as refused:
        details += [Detail(f"{index}.id", fault.code, fault.message) for fault in refused.faults]
        return None
