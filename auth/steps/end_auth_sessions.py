"""Log out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auth.families import end_all
from auth.tokens import Holder
from stackyard.core import types as t
from stackyard.stacks.check import StackChecker
from stackyard.stacks.execution import Execution
from stackyard.stacks.parameters import TableName, Value
from stackyard.stacks.step import Line, Step
from stackyard.tables.definitions import TableDef

from .create_auth_token import check_auth_enabled


def end_auth_sessions(execution: Execution, table: TableDef, record_id: Any) -> int:
    """How many sign-ins ended."""
    if not isinstance(record_id, int):
        return 0
    return end_all(Holder.of(execution.schema, table, record_id), "logged out")


class EndAuthSessions(Step):
    """Log a record out everywhere: its access and refresh tokens are refused within a second. Gives how many sign-ins ended."""

    name = "end_auth_sessions"
    label = "End auth sessions"
    group = "security"
    icon = "logout"
    sentence = "Log out {id} of {table}"
    synonyms = "logout sign out revoke token session"
    result_name = "ended"
    parameters = (
        TableName("table", "The table of the people who log in.", required=True),
        Value("id", "The record's id.", required=True, type=t.INT),
    )
    run = staticmethod(end_auth_sessions)
    examples = (
        {
            "lines": [
                {"step": "create_auth_token", "as": "tokens", "params": {"table": "members", "id": 1}},
                {"step": "end_auth_sessions", "as": "ended", "params": {"table": "members", "id": 1}},
            ],
            "response": "ended",
            "is": 1,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """A number."""
        check_auth_enabled(line, checker)
        return t.INT
