"""Whether a record is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import types as t
from stackyard.tables.schema import TableDef

from ..check import StackChecker
from ..execution import Execution
from ..parameters import FieldName, FieldValue, TableName
from ..step import Line, Step


def has_record(execution: Execution, table: TableDef, field: str, value: Any) -> bool:
    """True when a record has this value in the field."""
    return execution.store.has(table, value, field)


class HasRecord(Step):
    """Find out whether a record with a value exists: true or false."""

    name = "has_record"
    label = "Has record"
    group = "database"
    icon = "search"
    sentence = "Is there a {table} where {field} is {value}"
    synonyms = "exists check record present"
    result_name = "exists"
    parameters = (
        TableName("table", "The table.", required=True),
        FieldName("field", "The field to look in.", default="id"),
        FieldValue("value", "The value to look for.", required=True),
    )
    run = staticmethod(has_record)
    examples = (
        {
            "lines": [{"step": "has_record", "as": "there", "params": {"table": "customers", "value": 99}}],
            "response": "there",
            "is": False,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """True or false."""
        return t.BOOL
