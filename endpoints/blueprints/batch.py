"""Batch: many changes of a table in one call, each with its own result (contract §4)."""

from __future__ import annotations

from typing import Any

from stackyard.core.limits import BATCH_OPERATIONS
from stackyard.tables.definitions import TableDef

from . import Blueprint, Document, endpoint_document, expression, line, one_of

_INPUTS: dict[str, Any] = {
    "operations": {
        "type": "object",
        "list": True,
        "required": True,
        "max_items": BATCH_OPERATIONS.default,
        "fields": {
            "action": {"type": "enum", "values": ["create", "update", "delete"], "required": True},
            "id": {"type": "int"},
            "data": {"type": "json"},
        },
        "description": "What to do, in order: create with data, update with id and data (merged), delete with id.",
    },
    "atomic": {
        "type": "bool",
        "default": False,
        "description": "Whether the first failure takes everything back and is the answer.",
    },
}


class Batch(Blueprint):
    """One endpoint that creates, updates and deletes many records, one by one or all or nothing."""

    name = "batch"
    label = "Batch"
    icon = "layers"
    sentence = "Create, update and delete many records in one call"

    def documents(self, table: TableDef, key: str | None = None) -> list[Document]:
        atomic = line("transaction", do=[_for_each([_try(table, _fail_all())])])
        lenient = _for_each([_try(table, _note_failure())])
        return [
            endpoint_document(
                f"batch_{table.name}",
                "POST",
                f"/batch/{table.name}",
                f"Creates, updates and deletes {table.name} in one call.",
                inputs=_INPUTS,
                lines=[
                    line("set_variable", name="results", value=[]),
                    line("condition", if_=expression("input.atomic"), then=[atomic], else_=[lenient]),
                    line("set_variable", name="succeeded", value=expression(_SUCCEEDED)),
                ],
                response={
                    "results": expression("results"),
                    "succeeded": expression("succeeded"),
                    "failed": expression("(results | count) - succeeded"),
                },
            )
        ]


_SUCCEEDED = "results | filter(r => r.status < 400) | count"


def _for_each(lines: list[dict[str, Any]]) -> dict[str, Any]:
    return line("for_each", in_=expression("input.operations"), item="operation", do=lines)


def _try(table: TableDef, catch: list[dict[str, Any]]) -> dict[str, Any]:
    return line("try_catch", try_=_do_one(table), catch=catch)


def _push(result: dict[str, Any]) -> dict[str, Any]:
    return line("update_variable", path="results", value=expression(f"results | push({_map(result)})"))


def _map(parts: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {source}" for key, source in parts.items()) + "}"


def _do_one(table: TableDef) -> list[dict[str, Any]]:
    """One operation, its result pushed."""
    one = one_of(table.name)
    data = expression("operation.data ?? {}")
    found = {"table": table.name, "value": expression("operation.id")}
    needs_id = line(
        "precondition",
        if_=expression('operation.action == "create" or operation.id != null'),
        status=400,
        code="INVALID_INPUT",
        message=expression(f'operation.action ~ " needs the id of the {one}."'),
    )
    cases = [
        ("create", [line("add_record", "record", table=table.name, data=data), _status(201)]),
        ("update", [line("patch_record", "record", **found, data=data)]),
        ("delete", [line("delete_record", **found)]),
    ]
    return [
        needs_id,
        *_only_public(table),
        line("set_variable", name="record", value=None),
        _status(200),
        line(
            "switch",
            value=expression("operation.action"),
            cases=[{"when": when, "do": do} for when, do in cases],
        ),
        _push({"index": "index", "status": "status", "data": "record"}),
    ]


def _status(status: int) -> dict[str, Any]:
    return line("set_variable", name="status", value=status)


def _only_public(table: TableDef) -> list[dict[str, Any]]:
    """Callers may not set private and internal fields."""
    hidden = [field.name for field in table.own_fields if not field.is_public]
    if not hidden:
        return []
    names = ", ".join(f'"{name}"' for name in hidden)
    return [
        line(
            "precondition",
            if_=expression(f"not ((operation.data ?? {{}}) | keys | some(key => key in [{names}]))"),
            status=400,
            code="INVALID_INPUT",
            message=f"The data may not set {', '.join(hidden)}.",
        )
    ]


def _note_failure() -> list[dict[str, Any]]:
    error = {key: f"error.{key}" for key in ("code", "message", "suggestion", "details")}
    return [_push({"index": "index", "status": "error.status", "error": f"{_map(error)} | filter_null"})]


def _fail_all() -> list[dict[str, Any]]:
    return [
        line(
            "throw",
            status=expression("error.status"),
            code=expression("error.code"),
            message=expression('"Operation " ~ index ~ ": " ~ error.message'),
            suggestion=expression("error.suggestion"),
            details=expression("error.details"),
        )
    ]
