"""One record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import types as t
from stackyard.tables.schema import TableDef

from ..check import StackChecker
from ..execution import Execution
from ..parameters import FieldName, FieldValue, TableName
from ..records import Fields, record_type
from ..step import Line, Step


def get_record(execution: Execution, table: TableDef, field: str, value: Any, fields: Any) -> Any:
    """The record, or null."""
    return execution.store.get(table, value, field, fields)


class GetRecord(Step):
    """Read one record by its id or by another field; null when there is none."""

    name = "get_record"
    label = "Get record"
    group = "database"
    icon = "search"
    sentence = "Get from {table} where {field} is {value}"
    synonyms = "read find one record by id lookup fetch"
    result_name = "record"
    parameters = (
        TableName("table", "The table.", required=True),
        FieldName("field", "The field to find it by.", default="id"),
        FieldValue("value", "The field's value.", required=True),
        Fields("fields", "The fields to read; all that are public unless given.", advanced=True),
    )
    run = staticmethod(get_record)
    examples = (
        {
            "lines": [
                {"step": "get_record", "as": "c", "params": {"table": "customers", "field": "id", "value": 1}}
            ],
            "response": "c.name",
            "is": "Ann",
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """A record of the table, or null."""
        return record_type(line, checker).or_null()
