"""Log a record in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auth.families import sign_in
from auth.holders import password_field
from auth.tokens import ACCESS_SECONDS, ACCESS_SECONDS_AT_MOST, Holder
from stackyard.core import types as t
from stackyard.core.errors import Detail, Problem, invalid_input
from stackyard.stacks.check import StackChecker
from stackyard.stacks.execution import Execution
from stackyard.stacks.parameters import TableName, Value
from stackyard.stacks.step import Line, Step
from stackyard.tables.definitions import TableDef
from stackyard.tables.passwords import mark_of

TOKENS = t.object_of({"authToken": t.TEXT, "refreshToken": t.TEXT})


def create_auth_token(
    execution: Execution, table: TableDef, record_id: Any, extras: Any, expires_in: Any
) -> dict[str, str]:
    """The pair of tokens of a record that is there."""
    password_field(table)
    if not isinstance(record_id, int) or execution.store.get(table, record_id, "id") is None:
        raise Problem("NOT_FOUND", f"{table.name} has no record with id {record_id!r} that could log in.")
    if type(expires_in) is not int or not 60 <= expires_in <= ACCESS_SECONDS_AT_MOST:
        message = f"expected 60 to {ACCESS_SECONDS_AT_MOST:,} seconds, got {expires_in!r}"
        raise invalid_input([Detail("expires_in", "range", message)])
    holder = Holder.of(execution.schema, table, record_id)
    mark = mark_of(execution.store, table, record_id)
    return sign_in(holder, extras or {}, expires_in, mark).as_value()


class CreateAuthToken(Step):
    """Log a record of an auth-enabled table in: an access token for calls, and a refresh token for the next pair.

    Check the password first. The access token says who calls (auth.id, auth.table, auth.extras); endpoints take it
    where they allow jwt.
    """

    name = "create_auth_token"
    label = "Create auth token"
    group = "security"
    icon = "key"
    sentence = "Log in {id} of {table}"
    synonyms = "login sign in jwt token session authenticate"
    result_name = "tokens"
    parameters = (
        TableName(
            "table", "The table of the people who log in; it has a field of type password.", required=True
        ),
        Value("id", "The record's id.", required=True, type=t.INT),
        Value(
            "extras",
            "What the token carries besides, at most 4,000 bytes; anybody who has it can read it.",
            type=t.OBJECT,
            default={},
            advanced=True,
        ),
        Value(
            "expires_in",
            "Seconds that an access token lives, 60 to 86,400.",
            type=t.INT,
            default=ACCESS_SECONDS,
            advanced=True,
        ),
    )
    run = staticmethod(create_auth_token)
    raises = ("NOT_FOUND",)
    examples = (
        {
            "lines": [{"step": "create_auth_token", "as": "tokens", "params": {"table": "members", "id": 1}}],
            "response": 'tokens.authToken | split(".") | count',
            "is": 3,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """Both tokens; the table must have a password field."""
        check_auth_enabled(line, checker)
        return TOKENS


def check_auth_enabled(line: Line, checker: StackChecker) -> None:
    """Report a table whose records cannot log in."""
    table = checker.table_of(line, "table")
    if table is not None:
        try:
            password_field(table)
        except Problem as problem:
            checker.error(line.at("table"), "not_auth_enabled", f"{problem.message} {problem.suggestion}")
