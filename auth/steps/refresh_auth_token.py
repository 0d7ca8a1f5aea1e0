"""Exchange a refresh token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auth.families import exchange
from stackyard.core import types as t
from stackyard.core.errors import Detail, invalid_input
from stackyard.stacks.check import StackChecker
from stackyard.stacks.execution import Execution
from stackyard.stacks.parameters import Value
from stackyard.stacks.step import Line, Step

from .create_auth_token import TOKENS


def refresh_auth_token(execution: Execution, token: Any) -> dict[str, str]:
    """The next pair."""
    if not isinstance(token, str):
        raise invalid_input([Detail("token", "type", "expected a text")])
    return exchange(token, execution.workspace_id, execution.source).as_value()


class RefreshAuthToken(Step):
    """Exchange a refresh token for the next pair; it is spent by that.

    A refresh token that comes a second time was copied: that sign-in ends, for everybody who holds tokens of it.
    """

    name = "refresh_auth_token"
    label = "Refresh auth token"
    group = "security"
    icon = "refresh"
    sentence = "Exchange the refresh token {token}"
    synonyms = "jwt renew session rotate login"
    result_name = "tokens"
    # The exchange must hold even where the stack that made it is undone: a token that was shown is spent.
    goes_out = True
    parameters = (Value("token", "The refresh token.", required=True, type=t.TEXT),)
    run = staticmethod(refresh_auth_token)
    raises = ("UNAUTHORIZED",)
    examples = (
        {
            "lines": [
                {"step": "create_auth_token", "as": "tokens", "params": {"table": "members", "id": 1}},
                {
                    "step": "refresh_auth_token",
                    "as": "next",
                    "params": {"token": {"$expr": "tokens.refreshToken"}},
                },
            ],
            "response": "next.refreshToken != tokens.refreshToken",
            "is": True,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """Both tokens."""
        return TOKENS
