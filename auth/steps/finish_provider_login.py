"""End a login with a provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auth.families import sign_in
from auth.providers import logging_in
from auth.providers.linking import record_of
from auth.tokens import Holder
from stackyard.core import types as t
from stackyard.core.errors import Detail, invalid_input
from stackyard.stacks.check import StackChecker
from stackyard.stacks.execution import Execution
from stackyard.stacks.parameters import Value
from stackyard.stacks.step import Line, Step
from stackyard.tables.passwords import mark_of

from .start_provider_login import provider_named

ENDED = t.object_of({"authToken": t.TEXT, "refreshToken": t.TEXT, "id": t.INT, "is_new": t.BOOL})


def finish_provider_login(
    execution: Execution, provider: Any, state: Any, code: Any, iss: Any
) -> dict[str, Any]:
    """The tokens, the record's id, and whether it was made now."""
    wrong = [
        Detail(name, "type", "expected a text")
        for name, given in (("state", state), ("code", code))
        if not isinstance(given, str)
    ]
    if wrong:
        raise invalid_input(wrong)
    found = provider_named(execution.workspace_id, provider)
    person = logging_in.finish(found, state, code, iss if isinstance(iss, str) else None)
    table, number, is_new = record_of(found, person)
    holder = Holder(execution.workspace_id, table.id, number)
    pair = sign_in(holder, {}, password_mark=mark_of(execution.store, table, number))
    return {**pair.as_value(), "id": number, "is_new": is_new}


class FinishProviderLogin(Step):
    """End a login with a provider: checks what came back, finds or makes the record, and logs it in.

    A record is found by the provider's own name for the person; the first time by an e-mail address that both sides have
    proved (field email_verified). A state is good once, for ten minutes.
    """

    name = "finish_provider_login"
    label = "Finish provider login"
    group = "security"
    icon = "globe"
    sentence = "End the login with {provider}"
    synonyms = "social login callback oidc google github microsoft sso enterprise"
    result_name = "tokens"
    goes_out = True
    parameters = (
        Value("provider", "The provider's name, as in the settings.", required=True, type=t.TEXT),
        Value("state", "What came back as state.", required=True, type=t.TEXT),
        Value("code", "What came back as code.", required=True, type=t.TEXT),
        Value("iss", "What came back as iss, if anything did.", type=t.TEXT.or_null(), default=None),
    )
    run = staticmethod(finish_provider_login)
    raises = ("NOT_FOUND", "LOGIN_FAILED", "EMAIL_NOT_VERIFIED", "EMAIL_TAKEN", "PROVIDER_FAILED")
    examples = (
        {
            "lines": [
                {
                    "step": "finish_provider_login",
                    "as": "tokens",
                    "params": {"provider": "google", "state": "…", "code": "…"},
                },
            ],
            "response": "tokens.authToken",
            "runs": False,
            "is": "…",
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """Both tokens, the id, and whether it is new."""
        return ENDED
