"""What went wrong with a write, in the words of the table: doubled values, references to nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stackyard.core.errors import Detail, Problem, invalid_input

from . import writing
from .database import Doubled
from .definitions import FieldDef, TableDef
from .field_type import shown
from .records import Reading

if TYPE_CHECKING:
    from .store import Store


def conflict(table: TableDef, doubled: Doubled, values: Mapping[str, Any], dialect: str) -> Problem:
    """409 that names the fields, and the value where there is one of it."""
    fields = _fields(table, doubled)
    if not fields:
        return Problem("CONFLICT", f"{table.name} has such a record already.")
    names = ", ".join(f.name for f in fields)
    given = [values[f.column] for f in fields if f.column in values]
    held = [_unbound(f, value, dialect) for f, value in zip(fields, given, strict=False)]
    what = f" {', '.join(held)}" if len(held) == len(fields) else ""
    return Problem(
        "CONFLICT",
        f"{table.name} has a record with {names}{what} already.",
        details=[Detail(f.name, "taken", "is taken") for f in fields],
    )


def _unbound(field: FieldDef, bound: Any, dialect: str) -> str:
    """A bound value as a person wrote it; texts, days and UUIDs are bound as the texts they are."""
    return shown(
        bound if isinstance(bound, str | list) else field.type.to_json(field.type.load(bound, dialect))
    )


def _fields(table: TableDef, doubled: Doubled) -> list[FieldDef]:
    if doubled.columns:
        by_column = {f.column: f for f in table.fields.values()}
        return [by_column[column] for column in doubled.columns if column in by_column]
    index = next((index for index in table.unique_indexes if index.name == doubled.index), None)
    if index is not None:
        return [table.fields[name] for name, _ in index.fields]
    return [table.fields["id"]] if doubled.index == f"{table.physical}_pkey" else []


def missing_targets(
    store: Store, table: TableDef, readings: Sequence[Reading], bulk: bool = False
) -> Problem:
    """400 that names every reference whose record is not there."""
    details: list[Detail] = []
    for field in table.references:
        wanted = {r.references[field.column] for r in readings if field.column in r.references}
        found = existing_ids(store, store.schema.tables_by_id[field.target], wanted)
        for index, reading in enumerate(readings):
            number = reading.references.get(field.column)
            if number is not None and number not in found:
                target = store.schema.tables_by_id[field.target].name
                place = f"{index}.{field.name}" if bulk else field.name
                details.append(Detail(place, "reference", f"there is no record {number} in {target}"))
    if not details:
        # It came back between the write and the question.
        return Problem(
            "CONFLICT", "A record that was referred to changed meanwhile.", suggestion="Try again."
        )
    return invalid_input(details)


def existing_ids(store: Store, table: TableDef, ids: set[int], lock: bool = False) -> set[int]:
    """Those of the ids that exist; `lock` keeps them existing to the end of the transaction."""
    if not ids:
        return set()
    statement = writing.existing(store.schema, table, lock)
    rows = store.execute(statement, {"ids": writing.ids_bound(sorted(ids), store.schema.dialect)})
    return {row[0] for row in rows}
