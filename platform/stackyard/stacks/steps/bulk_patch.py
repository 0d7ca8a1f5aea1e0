"""Many records changed at once."""

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


def bulk_patch(execution: Execution, table: TableDef, items: Any) -> Any:
    """The records as they are now."""
    return execution.store.patch_many(table, items)


class BulkPatch(Step):
    """Change the named fields of many records by their ids, all or none."""

    name = "bulk_patch"
    label = "Bulk patch"
    group = "database"
    icon = "edit"
    sentence = "Change all of {items} in {table}"
    synonyms = "update merge many batch"
    parameters = (
        TableName("table", "The table.", required=True),
        Value(
            "items", "A list of the fields to change, each with the record's id.", required=True, type=t.LIST
        ),
    )
    run = staticmethod(bulk_patch)
    raises = ("NOT_FOUND", "CONFLICT")
    examples = (
        {
            "lines": [
                {
                    "step": "bulk_patch",
                    "as": "made",
                    "params": {
                        "table": "customers",
                        "items": [{"id": 1, "name": "Anna"}, {"id": 2, "name": "Bo"}],
                    },
                }
            ],
            "response": "made | map(r => r.name)",
            "is": ["Anna", "Bo"],
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """The records."""
        return t.list_of(record_type(line, checker))
