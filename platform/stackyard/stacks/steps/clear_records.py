"""All records of a table deleted."""

from __future__ import annotations

from collections.abc import Mapping

from stackyard.core import types as t
from stackyard.tables.schema import TableDef

from ..check import StackChecker
from ..execution import Execution
from ..parameters import TableName
from ..step import Line, Step


def clear_records(execution: Execution, table: TableDef) -> int:
    """How many records were deleted."""
    return execution.store.clear(table)


class ClearRecords(Step):
    """Delete all records of a table, and do to those that refer to them what their field says.

    The result is how many they were. Ids are not used again.
    """

    name = "clear_records"
    label = "Clear all records"
    group = "database"
    icon = "trash"
    sentence = "Delete all records of {table}"
    synonyms = "truncate empty delete remove all"
    parameters = (TableName("table", "The table.", required=True),)
    run = staticmethod(clear_records)
    raises = ("CONFLICT",)
    examples = (
        {
            "lines": [{"step": "clear_records", "as": "gone", "params": {"table": "customers"}}],
            "response": "gone",
            "is": 2,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """A count."""
        return t.INT
