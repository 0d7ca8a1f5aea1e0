"""Delete a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import types as t
from stackyard.tables.schema import TableDef

from ..check import StackChecker
from ..execution import Execution
from ..parameters import FieldName, FieldValue, TableName
from ..records import record_type
from ..step import Line, Step


def delete_record(execution: Execution, table: TableDef, field: str, value: Any) -> Any:
    """The record as it was."""
    return execution.store.delete(table, value, field)


class DeleteRecord(Step):
    """Delete a record; the result is the record as it was. 404 when there is none."""

    name = "delete_record"
    label = "Delete record"
    group = "database"
    icon = "file-x"
    sentence = "Delete from {table} where {field} is {value}"
    synonyms = "remove erase destroy record"
    parameters = (
        TableName("table", "The table.", required=True),
        FieldName("field", "The field to find it by.", default="id"),
        FieldValue("value", "The field's value.", required=True),
    )
    run = staticmethod(delete_record)
    examples = (
        {
            "lines": [
                {
                    "step": "delete_record",
                    "as": "c",
                    "params": {"table": "customers", "field": "id", "value": 2},
                }
            ],
            "response": "c.name",
            "is": "Bob",
        },
    )
    raises = ("NOT_FOUND", "CONFLICT")

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """The record."""
        return record_type(line, checker)
