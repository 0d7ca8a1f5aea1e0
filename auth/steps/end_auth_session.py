"""Log the caller out."""

from __future__ import annotations

from collections.abc import Mapping

from auth.families import end_one
from stackyard.core import types as t
from stackyard.stacks.check import StackChecker
from stackyard.stacks.execution import Execution
from stackyard.stacks.step import Line, Step


def end_auth_session(execution: Execution) -> bool:
    """Whether the caller's sign-in ended."""
    session = execution.principal.session
    return session is not None and end_one(session, "logged out") == 1


class EndAuthSession(Step):
    """Log the caller out: the tokens of this sign-in are refused within a second, those of other devices stay good.

    False when nobody was logged in.
    """

    name = "end_auth_session"
    label = "End auth session"
    group = "security"
    icon = "logout"
    sentence = "Log the caller out"
    synonyms = "logout sign out revoke token"
    result_name = "has_ended"
    run = staticmethod(end_auth_session)
    examples = (
        {
            "lines": [{"step": "end_auth_session", "as": "ended", "params": {}}],
            "response": "ended",
            "is": False,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """True or false."""
        return t.BOOL
