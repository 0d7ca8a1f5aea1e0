"""Check a password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auth.holders import password_field
from auth.login_throttle import Tries
from auth.tokens import Holder
from stackyard.core import types as t
from stackyard.stacks.check import StackChecker
from stackyard.stacks.execution import Execution
from stackyard.stacks.parameters import TableName, Value
from stackyard.stacks.step import Line, Step
from stackyard.tables.definitions import TableDef

from .create_auth_token import check_auth_enabled


def check_password(execution: Execution, table: TableDef, record_id: Any, password: Any, typed: Any) -> bool:
    """Whether it is the record's password; false for a record that is not there, after the same time."""
    name = password_field(table)
    # Tries for a record that is not there count by what was typed, or together where the stack does not say it.
    number = record_id if isinstance(record_id, int) else 0
    address = execution.request.address if execution.request is not None else None
    tries = Tries(
        Holder.of(execution.schema, table, number), address, typed if isinstance(typed, str) else None
    )
    tries.check()
    is_right = execution.store.verify(table, number, password, field=name)
    if is_right:
        tries.succeeded()
    else:
        tries.failed()
    return is_right


class CheckPassword(Step):
    """Whether a password is a record's. Ten wrong ones for one record, or fifty from one address, and the next 15 minutes answer 429."""

    name = "check_password"
    label = "Check password"
    group = "security"
    icon = "shield"
    sentence = "Check {password} for {id} of {table}"
    synonyms = "login verify validate password authenticate"
    result_name = "is_right"
    parameters = (
        TableName("table", "The table of the people who log in.", required=True),
        Value(
            "id",
            "The record's id; null when nobody was found, and the answer is false.",
            required=True,
            type=t.INT.or_null(),
        ),
        Value("password", "The password that was typed.", required=True, type=t.TEXT),
        Value(
            "typed",
            "What the record was looked for by, such as the e-mail address: where nobody was found, wrong tries are counted by it, so that the count does not tell who is there.",
            type=t.TEXT.or_null(),
            default=None,
            advanced=True,
        ),
    )
    run = staticmethod(check_password)
    raises = ("TOO_MANY_REQUESTS",)
    examples = (
        {
            "lines": [
                {
                    "step": "check_password",
                    "as": "is_right",
                    "params": {"table": "members", "id": 1, "password": "correct horse"},
                }
            ],
            "response": "is_right",
            "is": True,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """True or false; the table must have a password field."""
        check_auth_enabled(line, checker)
        return t.BOOL
