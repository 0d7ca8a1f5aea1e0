"""Many records replaced at once."""

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


def bulk_edit(execution: Execution, table: TableDef, items: Any) -> Any:
    """The records as they are now."""
    return execution.store.edit_many(table, items)


class BulkEdit(Step):
    """Replace many records by their ids, all or none: what an item leaves out takes its default."""

    name = "bulk_edit"
    label = "Bulk edit"
    group = "database"
    icon = "edit"
    sentence = "Replace all of {items} in {table}"
    synonyms = "update replace many batch put"
    parameters = (
        TableName("table", "The table.", required=True),
        Value("items", "A list of records, each with its id.", required=True, type=t.LIST),
    )
    run = staticmethod(bulk_edit)
    raises = ("NOT_FOUND", "CONFLICT")
    examples = (
        {
            "lines": [
                {
                    "step": "bulk_edit",
                    "as": "made",
                    "params": {"table": "customers", "items": [{"id": 1, "name": "Anna"}]},
                }
            ],
            "response": "made | map(r => [r.id, r.name])",
            "is": [[1, "Anna"]],
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """The records."""
        return t.list_of(record_type(line, checker))
