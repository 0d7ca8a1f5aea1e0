"""Replace a record."""

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


def edit_record(execution: Execution, table: TableDef, field: str, value: Any, data: Any) -> Any:
    """The record as it is now."""
    return execution.store.edit(table, value, data, field)


class EditRecord(Step):
    """Replace a record: fields that are left out get their default or null. 404 when there is none."""

    name = "edit_record"
    label = "Edit record"
    group = "database"
    icon = "edit"
    sentence = "Edit {table} where {field} is {value}[: {data}]"
    synonyms = "update replace change record put"
    result_name = "record"
    parameters = (
        TableName("table", "The table.", required=True),
        FieldName("field", "The field to find it by.", default="id"),
        FieldValue("value", "The field's value.", required=True),
        Data("data", "The record's fields and values.", required=True),
    )
    run = staticmethod(edit_record)
    examples = (
        {
            "lines": [
                {
                    "step": "edit_record",
                    "as": "c",
                    "params": {"table": "customers", "field": "id", "value": 1, "data": {"name": "Anna"}},
                }
            ],
            "response": "[c.name, c.email]",
            "is": ["Anna", None],
        },
    )
    raises = ("NOT_FOUND", "CONFLICT")

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """The record."""
        return record_type(line, checker)
