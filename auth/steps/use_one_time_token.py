"""Take a token from a link in an e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auth import one_time
from auth.tokens import Holder
from stackyard.core import types as t
from stackyard.stacks.check import StackChecker
from stackyard.stacks.execution import Execution
from stackyard.stacks.parameters import Constant, TableName, Value
from stackyard.stacks.step import Line, Step
from stackyard.tables.definitions import TableDef


def use_one_time_token(execution: Execution, table: TableDef, token: Any, purpose: str) -> int | None:
    """The record's id, or null."""
    if not isinstance(token, str):
        return None
    holder = Holder.of(execution.schema, table, 0)
    return one_time.use(token, holder.workspace_id, holder.table_id, purpose)


class UseOneTimeToken(Step):
    """Use a one-time token up: gives the id of its record, or null when it was used, has expired or is for something else."""

    name = "use_one_time_token"
    label = "Use one-time token"
    group = "security"
    icon = "check"
    sentence = "Use {token} to {purpose} in {table}"
    synonyms = "magic link password reset verify email confirmation"
    result_name = "id"
    parameters = (
        TableName("table", "The table of the record it was made for.", required=True),
        Value("token", "The token.", required=True, type=t.TEXT),
        Constant("purpose", "What it was made for.", required=True),
    )
    run = staticmethod(use_one_time_token)
    examples = (
        {
            "lines": [
                {
                    "step": "create_one_time_token",
                    "as": "token",
                    "params": {"table": "members", "id": 1, "purpose": "reset_password"},
                },
                {
                    "step": "use_one_time_token",
                    "as": "id",
                    "params": {"table": "members", "token": {"$expr": "token"}, "purpose": "reset_password"},
                },
            ],
            "response": "id",
            "is": 1,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """An id, or null."""
        return t.INT.or_null()
