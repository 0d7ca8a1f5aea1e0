"""Make a token for a link in an e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auth import one_time
from auth.tokens import Holder
from stackyard.core import types as t
from stackyard.core.errors import Detail, invalid_input
from stackyard.stacks.check import StackChecker
from stackyard.stacks.execution import Execution
from stackyard.stacks.parameters import Constant, TableName, Value
from stackyard.stacks.step import Line, Step
from stackyard.tables.definitions import TableDef

SECONDS = 3600
SECONDS_AT_MOST = 30 * 86_400


def create_one_time_token(
    execution: Execution, table: TableDef, record_id: Any, purpose: str, expires_in: Any
) -> str:
    """The token's text."""
    details = []
    if type(record_id) is not int:
        details.append(Detail("id", "type", "expected a record's id"))
    if type(expires_in) is not int or not 60 <= expires_in <= SECONDS_AT_MOST:
        message = f"expected 60 to {SECONDS_AT_MOST:,} seconds"
        details.append(Detail("expires_in", "range", message))
    if details:
        raise invalid_input(details)
    return one_time.make(Holder.of(execution.schema, table, record_id), purpose, expires_in)


class CreateOneTimeToken(Step):
    """Make a token that is good once, for one record and one purpose: for a link that resets a password or proves an address.

    An earlier token for the same record and purpose is good no more.
    """

    name = "create_one_time_token"
    label = "Create one-time token"
    group = "security"
    icon = "link"
    sentence = "Create a one-time token to {purpose} for {id} of {table}"
    synonyms = "magic link password reset verify email confirmation"
    result_name = "token"
    parameters = (
        TableName("table", "The record's table.", required=True),
        Value("id", "The record's id.", required=True, type=t.INT),
        Constant(
            "purpose", "What it is for, such as reset_password; it is good for nothing else.", required=True
        ),
        Value(
            "expires_in",
            "Seconds that it is good for, 60 to 2,592,000.",
            type=t.INT,
            default=SECONDS,
            advanced=True,
        ),
    )
    run = staticmethod(create_one_time_token)
    examples = (
        {
            "lines": [
                {
                    "step": "create_one_time_token",
                    "as": "token",
                    "params": {"table": "members", "id": 1, "purpose": "reset_password"},
                }
            ],
            "response": 'token | starts_with("ot_")',
            "is": True,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """A text."""
        return t.TEXT
