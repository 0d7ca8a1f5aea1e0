"""A new record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import types as t
from stackyard.tables.schema import TableDef

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Data, TableName
from ..records import record_type
from ..step import Line, Step
from ..values import expression_of


def add_record(execution: Execution, table: TableDef, data: Any) -> Any:
    """The record as it was stored, with its id."""
    return execution.store.add(table, data)


class AddRecord(Step):
    """Add a record to a table; the result is the record with its id."""

    name = "add_record"
    label = "Add record"
    group = "database"
    icon = "plus"
    sentence = "Add to {table}[ with {data}]"
    synonyms = "create insert new record save"
    result_name = "record"
    parameters = (
        TableName("table", "The table.", required=True),
        Data("data", "The fields and their values; what is left out takes its default.", required=True),
    )
    run = staticmethod(add_record)
    examples = (
        {
            "lines": [
                {"step": "add_record", "as": "c", "params": {"table": "customers", "data": {"name": "Cem"}}}
            ],
            "response": "[c.id > 2, c.name]",
            "is": [True, "Cem"],
        },
    )
    raises = ("CONFLICT",)

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """The new record; a required field that is left out is a fault."""
        table = checker.table_of(line)
        data = line.params.get("data")
        if table is not None and isinstance(data, dict) and expression_of(data) is None:
            for name, field in table.fields.items():
                if field.required and not field.is_system and field.default is None and name not in data:
                    message = f'"{name}" is required in "{table.name}".'
                    checker.error(line.at("data"), "missing_field", message)
        return record_type(line, checker)
