"""Delete a record."""

from __future__ import annotations

from typing import Any

from stackyard.tables.schema import TableDef

from ..execution import Execution
from ..parameters import FieldName, FieldValue, TableName
from ..step import Step


def delete_record(execution: Execution, table: TableDef, field: str, value: Any) -> None:
    """Nothing: the record is gone."""
    execution.store.delete(table, value, field)


class DeleteRecord(Step):
    """Delete a record, and do to those that refer to it what their field says. 404 when there is none."""

    name = "delete_record"
    label = "Delete record"
    group = "database"
    icon = "trash"
    sentence = "Delete from {table} where {field} is {value}"
    synonyms = "remove erase destroy record"
    gives_result = False
    parameters = (
        TableName("table", "The table.", required=True),
        FieldName("field", "The field to find it by.", default="id"),
        FieldValue("value", "The field's value.", required=True),
    )
    run = staticmethod(delete_record)
    raises = ("NOT_FOUND", "CONFLICT")
    examples = (
        {
            "lines": [
                {"step": "delete_record", "params": {"table": "customers", "field": "id", "value": 2}},
                {"step": "has_record", "as": "there", "params": {"table": "customers", "value": 2}},
            ],
            "response": "there",
            "is": False,
        },
    )
