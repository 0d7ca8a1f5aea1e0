"""Many records deleted at once."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import Faults
from stackyard.tables.query import Query, check_query
from stackyard.tables.schema import TableDef

from ..check import StackChecker
from ..compiler import StackCompiler
from ..execution import Execution
from ..parameters import TableName
from ..query_parts import OPTIONAL, QueryPart, Slots
from ..step import Line, Step


def bulk_delete(execution: Execution, table: TableDef, where: Any, values: list[Any]) -> int:
    """How many records were deleted."""
    return execution.store.delete_many(table, where, values)


class BulkDelete(Step):
    """Delete every record that meets the conditions, and do to those that refer to it what their field says.

    The result is how many they were.
    """

    name = "bulk_delete"
    label = "Bulk delete"
    group = "database"
    icon = "trash"
    sentence = "Delete from {table} where {where}"
    synonyms = "remove many batch erase"
    parameters = (
        TableName("table", "The table.", required=True),
        QueryPart(
            "where", "Which records: {field: value} or {field: {$gt: value}}.", required=True, widget="where"
        ),
    )
    raises = ("CONFLICT",)
    examples = (
        {
            "lines": [
                {
                    "step": "bulk_delete",
                    "as": "gone",
                    "params": {"table": "customers", "where": {"id": {"$gt": {"$expr": "1"}}}},
                }
            ],
            "response": "gone",
            "is": 1,
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """Conditions that say something: what may be left out could leave a condition that all records meet."""
        for parameter in cls.parameters:
            parameter.check(checker, line)
        where = line.params.get("where")
        table = checker.table_of(line)
        if not isinstance(where, dict) or not where:
            message = 'Say which records go. To delete all of them, use "clear_records".'
            checker.error(line.at("where"), "required", message)
        elif _holds(where, OPTIONAL):
            message = f'"{OPTIONAL}" can\'t stand here: without its condition all records might go.'
            checker.error(line.at("where"), "optional", message)
        elif table is not None:
            faults = Faults()
            query = Query(table.name, where=Slots(checker.expression).take(where, line.at("where")))
            check_query(checker.catalogue.schema, query, faults, line.at())
            checker.faults.found += [replace(fault, line_id=line.id) for fault in faults.found]
        return t.INT

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`bulk_delete(execution, table, where, [values])`."""
        slots = Slots()
        where = code.bound(slots.take(line.params.get("where"), line.at("where")))
        values = [code.value_at({"$expr": source}, line.id, path) for source, path in slots.found]
        code.locate(line)
        given = code.place(ast.List(values, ast.Load()))
        table = code.bound(code.schema.table(line.params["table"]))
        return code.keep(line, code.call(bulk_delete, [code.execution(), table, where, given]))


def _holds(value: Any, key: str) -> bool:
    if isinstance(value, dict):
        return key in value or any(_holds(part, key) for part in value.values())
    return isinstance(value, list) and any(_holds(part, key) for part in value)
