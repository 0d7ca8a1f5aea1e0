"""Adding to a number of a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import did_you_mean
from stackyard.tables.schema import TableDef

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Constant, TableName, Value
from ..records import record_type
from ..step import Line, Step


def increment(execution: Execution, table: TableDef, value: Any, field: str, by: Any) -> Any:
    """The record as it is now."""
    return execution.store.increment(table, value, field, by)


@dataclass(frozen=True)
class NumberField(Constant):
    """The name of a number field of the line's table."""

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """It must be there and hold numbers."""
        name, table = self.value(line), checker.table_of(line)
        if table is None or not isinstance(name, str):
            return super().check(checker, line)
        numbers = [f.name for f in table.own_fields if f.value_type.is_number and not f.is_reference]
        if name not in numbers:
            hint = did_you_mean(name, numbers)
            message = f'Table "{table.name}" has no number field "{name}".{hint}'
            checker.error(line.at(self.name), "unknown_field", message)
        return t.TEXT


class Increment(Step):
    """Add to a number of a record in one step, so that no addition is lost when two come at once. Null counts as 0.

    The result is the record as it is now. 404 when there is none; past the limits of the field it is an error.
    """

    name = "increment"
    label = "Increment"
    group = "database"
    icon = "plus"
    sentence = "Add {by} to {field} of {table} {value}"
    synonyms = "counter add subtract decrement plus atomic"
    parameters = (
        TableName("table", "The table.", required=True),
        Value("value", "The record's id.", required=True, type=t.INT),
        NumberField("field", "The number field.", required=True),
        Value("by", "How much; negative to take away.", default=1, type=t.NUMBER),
    )
    run = staticmethod(increment)
    raises = ("NOT_FOUND", "INVALID_INPUT")
    examples = (
        {
            "lines": [
                {
                    "step": "increment",
                    "as": "c",
                    "params": {"table": "customers", "value": 1, "field": "visits"},
                },
                {
                    "step": "increment",
                    "as": "c",
                    "params": {"table": "customers", "value": 1, "field": "visits", "by": 5},
                },
            ],
            "response": "c.visits",
            "is": 6,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """The record."""
        return record_type(line, checker)
