"""Many new records at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import types as t
from stackyard.tables.schema import TableDef

from ..check import StackChecker
from ..execution import Execution
from ..parameters import TableName, Value
from ..records import record_type
from ..step import Line, Step


def bulk_add(execution: Execution, table: TableDef, items: Any) -> Any:
    """The records as they were stored, in the order of the items."""
    return execution.store.add_many(table, items)


class BulkAdd(Step):
    """Add many records to a table, all or none; the result is the list of them."""

    name = "bulk_add"
    label = "Bulk add"
    group = "database"
    icon = "plus"
    sentence = "Add all of {items} to {table}"
    synonyms = "insert many create batch import"
    parameters = (
        TableName("table", "The table.", required=True),
        Value("items", "A list of records: fields and their values.", required=True, type=t.LIST),
    )
    run = staticmethod(bulk_add)
    raises = ("CONFLICT",)
    examples = (
        {
            "lines": [
                {
                    "step": "bulk_add",
                    "as": "made",
                    "params": {"table": "customers", "items": [{"name": "Dan"}, {"name": "Eve"}]},
                }
            ],
            "response": "made | map(r => r.name)",
            "is": ["Dan", "Eve"],
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """The records."""
        return t.list_of(record_type(line, checker))
