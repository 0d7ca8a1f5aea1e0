"""CRUD: list, get, create, replace, update and delete the records of a table (contract §4)."""

from __future__ import annotations

from typing import Any

from stackyard.core.limits import PAGE_RECORDS
from stackyard.tables.definitions import FieldDef, TableDef

from . import (
    Blueprint,
    Document,
    endpoint_document,
    expression,
    field_input,
    field_type,
    key_of,
    line,
    one_of,
    writable_fields,
)

_PAGING: dict[str, Any] = {
    "page": {"type": "int", "min": 1, "default": 1, "description": "The page, from 1."},
    "per_page": {
        "type": "int",
        "min": 1,
        "max": PAGE_RECORDS.maximum,
        "default": 20,
        "description": "Records a page.",
    },
    "sort": {"type": "text", "description": "Fields separated by commas; - before one sorts downwards."},
    "search": {"type": "text", "description": "Finds records with this text in one of their texts."},
}
_SEARCHED = frozenset({"text", "email"})


class Crud(Blueprint):
    """The endpoints that every table needs: list with paging, sorting and search, get, create, replace, update, delete."""

    name = "crud"
    label = "CRUD"
    icon = "database"
    sentence = "List, get, create, replace, update and delete records"

    def documents(self, table: TableDef, key: str | None = None) -> list[Document]:
        one = one_of(table.name)
        key = key or key_of(table)
        return [
            _list(table),
            _get(table, one, key),
            _create(table, one),
            _replace(table, one, key),
            _update(table, one, key),
            _delete(table, one, key),
        ]


def _list(table: TableDef) -> Document:
    compared = [
        field for field in table.public_fields if field.name not in _PAGING and _takes_equality(field)
    ]
    filters = {
        field.name: {**_compared(field), "description": f"Only records with this {field.name}."}
        for field in compared
    }
    query = line(
        "query_all_records",
        "found",
        table=table.name,
        where=_conditions(table, compared),
        sort=expression("input.sort"),
        page=expression("input.page"),
        per_page=expression("input.per_page"),
    )
    return endpoint_document(
        f"list_{table.name}",
        "GET",
        f"/{table.name}",
        f"A page of {table.name}, sorted, searched and filtered.",
        inputs={**_PAGING, **filters},
        lines=[query],
        response=expression("found"),
    )


def _compared(field: FieldDef) -> dict[str, Any]:
    """The type without the limits that only count when a value is stored."""
    return {
        key: value
        for key, value in field_type(field).items()
        if key in ("type", "values", "precision", "scale")
    }


def _takes_equality(field: FieldDef) -> bool:
    """Whether a text in a URL can be compared with it: not lists and objects."""
    return not field.type.is_json and "$eq" in field.type.operators


def _conditions(table: TableDef, compared: list[FieldDef]) -> dict[str, Any]:
    where: dict[str, Any] = {
        field.name: {"$eq": expression(f"input.{field.name}"), "$optional": True} for field in compared
    }
    searched = [field for field in table.public_fields if field.type.name in _SEARCHED]
    if searched:
        where["$or"] = [
            {field.name: {"$contains": expression("input.search"), "$optional": True}} for field in searched
        ]
    return where


def _key_input(one: str, key: str) -> dict[str, Any]:
    return {key: {"type": "int", "description": f"The id of the {one}."}}


def _fields(table: TableDef, *, complete: bool) -> dict[str, Any]:
    return {field.name: field_input(field, complete=complete) for field in writable_fields(table)}


def _given(key: str) -> dict[str, str]:
    """What the caller sent for the record: the inputs but the one in the path."""
    return expression(f'input | unpick(["{key}"])')


def _get(table: TableDef, one: str, key: str) -> Document:
    missing = line(
        "precondition",
        if_=expression(f"{one}_found != null"),
        status=404,
        code="NOT_FOUND",
        message=expression(f'"There is no {one} with id " ~ input.{key} ~ "."'),
    )
    get = line("get_record", f"{one}_found", table=table.name, value=expression(f"input.{key}"))
    return endpoint_document(
        f"get_{one}",
        "GET",
        f"/{table.name}/{{{key}}}",
        f"One {one} by id.",
        inputs=_key_input(one, key),
        lines=[get, missing],
        response=expression(f"{one}_found"),
    )


def _create(table: TableDef, one: str) -> Document:
    return endpoint_document(
        f"create_{one}",
        "POST",
        f"/{table.name}",
        f"Creates one {one}; the answer is the record with its id.",
        inputs=_fields(table, complete=True),
        lines=[
            line("add_record", f"{one}_made", table=table.name, data=expression("input")),
            line("set_status", status=201),
        ],
        response=expression(f"{one}_made"),
    )


def _replace(table: TableDef, one: str, key: str) -> Document:
    return endpoint_document(
        f"replace_{one}",
        "PUT",
        f"/{table.name}/{{{key}}}",
        f"Replaces one {one}: fields that are left out get their default or null.",
        inputs={**_key_input(one, key), **_fields(table, complete=True)},
        lines=[_change("edit_record", table, one, key)],
        response=expression(f"{one}_now"),
    )


def _update(table: TableDef, one: str, key: str) -> Document:
    return endpoint_document(
        f"update_{one}",
        "PATCH",
        f"/{table.name}/{{{key}}}",
        f"Changes the given fields of one {one} and leaves the others.",
        inputs={**_key_input(one, key), **_fields(table, complete=False)},
        lines=[_change("patch_record", table, one, key)],
        response=expression(f"{one}_now"),
    )


def _change(step: str, table: TableDef, one: str, key: str) -> dict[str, Any]:
    return line(step, f"{one}_now", table=table.name, value=expression(f"input.{key}"), data=_given(key))


def _delete(table: TableDef, one: str, key: str) -> Document:
    return endpoint_document(
        f"delete_{one}",
        "DELETE",
        f"/{table.name}/{{{key}}}",
        f"Deletes one {one}; the answer is null.",
        inputs=_key_input(one, key),
        lines=[line("delete_record", table=table.name, value=expression(f"input.{key}"))],
    )
