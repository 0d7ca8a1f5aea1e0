"""The columns of the grid: what each field shows, how it is edited, what can be asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stackyard.tables.field_type import FieldType
from stackyard.tables.query import Query
from stackyard.tables.schema import FieldDef, TableDef
from stackyard.tables.store import Store
from stackyard.tables.types.file import FILE_TYPES

from .record_filters import operators_of
from .record_inputs import RecordInput

LONGEST_CELL = 2_000
"""Characters of a cell that a list of records brings; the rest comes when the cell is opened."""
_EDITORS = {
    "bool": "choice",
    "enum": "choice",
    "int": "number",
    "float": "number",
    "decimal": "number",
    "date": "date",
    "timestamp": "moment",
    "reference": "reference",
    "password": "password",
    "text": "text",
}
_LABEL_TYPES = ("text", "email", "enum")


def editor_of(kind: FieldType) -> str:
    """Which editor: `choice number date moment reference password text line file place code`."""
    if kind.name in FILE_TYPES:
        return "file"
    if kind.name == "geo_point":
        return "place"
    return _EDITORS.get(kind.name) or ("code" if kind.is_json else "line")


def columns_of(table: TableDef) -> list[dict[str, Any]]:
    """What the grid has to know of each field, `id` first, `created_at` last."""
    ends = table.fields["id"], table.fields["created_at"]
    return [_column(field) for field in (ends[0], *table.own_fields, ends[1])]


def _column(field: FieldDef) -> dict[str, Any]:
    kind = field.type
    shown = RecordInput(field)
    values = ("true", "false") if kind.name == "bool" else kind.value_type.values or ()
    return {
        "name": field.name,
        "type": kind.name,
        "editor": editor_of(kind),
        "isFixed": field.is_system,
        "isRequired": shown.is_required and not field.is_system,
        "isNumber": kind.value_type.is_number and not field.is_reference,
        "canSort": kind.can_be_read and not kind.is_json,
        "choices": list(values) if editor_of(kind) == "choice" else [],
        "operators": operators_of(field) if kind.can_be_read else [],
        "hint": " · ".join(part for part in (shown.hint, field.description) if part),
    }


def row_of(table: TableDef, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record as the grid has it: each cell's text (null: nothing), and which texts are only begun."""
    cells: dict[str, str | None] = {}
    cut = []
    for name, field in table.readable.items():
        value = record.get(name)
        text = None if value is None else field.type.csv_text(value)
        if text is not None and len(text) > LONGEST_CELL:
            text = text[:LONGEST_CELL]
            cut.append(name)
        cells[name] = text
    return {"id": record["id"], "cells": cells, "cut": cut}


def label_field(table: TableDef) -> FieldDef | None:
    """What tells a table's records apart for people: its first public text."""
    return next((f for f in table.own_fields if f.is_public and f.type.name in _LABEL_TYPES), None)


def labels_of(store: Store, table: TableDef, records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """For each reference, the label of every record that is referred to: `{"company": {"3": "ACME"}}`."""
    records = list(records)
    made: dict[str, Any] = {}
    for field in table.references:
        wanted = {record[field.name] for record in records if record.get(field.name) is not None}
        target = store.schema.tables_by_id[field.target]
        label = label_field(target)
        if wanted and label is not None:
            made[field.name] = {
                str(found["id"]): shown_label(found[label.name])
                for found in _found(store, target, label, {"id": {"$in": sorted(wanted)}}, len(wanted))
            }
    return made


def targets(store: Store, table: TableDef, asked: str, count: int = 20) -> list[dict[str, Any]]:
    """The first records of a table whose label holds a text, or whose id it is: `[{"id", "label"}]`."""
    label = label_field(table)
    ways: list[dict[str, Any]] = []
    if asked.isascii() and asked.isdecimal() and len(asked) < 19:
        ways.append({"id": int(asked)})
    if label is not None and asked:
        ways.append({label.name: {"$contains": asked}})
    where = {"$or": ways} if ways else {"id": 0} if asked else None
    return [
        {"id": found["id"], "label": shown_label(found[label.name]) if label else ""}
        for found in _found(store, table, label, where, count)
    ]


def _found(store: Store, table: TableDef, label: FieldDef | None, where: Any, count: int) -> list[Any]:
    fields = ["id"] if label is None else ["id", label.name]
    found = store.query(
        Query(
            table=table.name,
            where=where,
            sort=["id"],
            fields=fields,
            page=1,
            per_page=max(1, min(count, 1000)),
        )
    )
    items: list[Any] = found["items"]
    return items


def shown_label(value: Any) -> str:
    """A label, short enough for a cell."""
    text = "" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
