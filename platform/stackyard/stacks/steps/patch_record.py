"""Change some fields of a record."""

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


def patch_record(execution: Execution, table: TableDef, field: str, value: Any, data: Any) -> Any:
    """The record as it is now."""
    return execution.store.patch(table, value, data, field)


class PatchRecord(Step):
    """Change the given fields of a record and leave the others. 404 when there is none."""

    name = "patch_record"
    label = "Patch record"
    group = "database"
    icon = "edit"
    sentence = "Change {table} where {field} is {value}[: {data}]"
    synonyms = "update merge change fields partial"
    result_name = "record"
    parameters = (
        TableName("table", "The table.", required=True),
        FieldName("field", "The field to find it by.", default="id"),
        FieldValue("value", "The field's value.", required=True),
        Data("data", "The fields to change, with their new values.", required=True),
    )
    run = staticmethod(patch_record)
    examples = (
        {
            "lines": [
                {
                    "step": "patch_record",
                    "as": "c",
                    "params": {"table": "customers", "field": "id", "value": 1, "data": {"name": "Anna"}},
                }
            ],
            "response": "[c.name, c.email]",
            "is": ["Anna", "ann@example.com"],
        },
    )
    raises = ("NOT_FOUND", "CONFLICT")

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """The record."""
        return record_type(line, checker)
