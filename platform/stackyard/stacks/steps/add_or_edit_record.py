"""Add a record, or change it when it is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import types as t
from stackyard.tables.schema import TableDef

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Data, FieldName, FieldValue, TableName
from ..records import record_type
from ..step import Line, Step


def add_or_edit_record(execution: Execution, table: TableDef, field: str, value: Any, data: Any) -> Any:
    """The record as it is now."""
    return execution.store.upsert(table, value, data, field)


class AddOrEditRecord(Step):
    """Change the record that has a value in a field, or add one with it."""

    name = "add_or_edit_record"
    label = "Add or edit record"
    group = "database"
    icon = "save"
    sentence = "Add or edit {table} where {field} is {value}[: {data}]"
    synonyms = "upsert save create update merge"
    result_name = "record"
    parameters = (
        TableName("table", "The table.", required=True),
        FieldName(
            "field", "The field to find it by; a unique one, so that there is never a second.", default="id"
        ),
        FieldValue("value", "The field's value.", required=True),
        Data("data", "The fields and their values.", required=True),
    )
    run = staticmethod(add_or_edit_record)
    examples = (
        {
            "lines": [
                {
                    "step": "add_or_edit_record",
                    "as": "c",
                    "params": {
                        "table": "customers",
                        "field": "email",
                        "value": "ann@example.com",
                        "data": {"name": "Anna"},
                    },
                }
            ],
            "response": "[c.id, c.name]",
            "is": [1, "Anna"],
        },
    )
    raises = ("CONFLICT",)

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """The record."""
        return record_type(line, checker)
