"""Begin a login with a provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auth.providers import logging_in
from auth.providers.models import Provider
from stackyard.core import types as t
from stackyard.core.errors import Detail, Problem, did_you_mean, invalid_input
from stackyard.stacks.check import StackChecker
from stackyard.stacks.execution import Execution
from stackyard.stacks.parameters import Value
from stackyard.stacks.step import Line, Step

STARTED = t.object_of({"url": t.TEXT, "state": t.TEXT})


def provider_named(workspace_id: int, name: Any) -> Provider:
    """A provider of the workspace. Problem `NOT_FOUND` that proposes the nearest name."""
    known = {p.name: p for p in Provider.objects.filter(workspace_id=workspace_id)}
    if not isinstance(name, str) or name not in known:
        hint = did_you_mean(name, known) if isinstance(name, str) else ""
        raise Problem("NOT_FOUND", f"There is no login provider {name!r}.{hint}")
    return known[name]


def start_provider_login(execution: Execution, provider: Any, redirect_uri: Any) -> dict[str, str]:
    """The provider's page and the state."""
    found = provider_named(execution.workspace_id, provider)
    known = found.redirect_uris.split()
    wanted = known[0] if redirect_uri is None and known else redirect_uri
    if wanted not in known:
        message = "is not among the pages that this provider's logins may lead back to"
        raise invalid_input([Detail("redirect_uri", "redirect_uri", message)])
    return logging_in.start(found, wanted)


class StartProviderLogin(Step):
    """Begin a login with Google, GitHub, Microsoft or any OpenID provider: the page to send the person to, and the state.

    The app keeps the state in that browser and compares it with the one that comes back.
    """

    name = "start_provider_login"
    label = "Start provider login"
    group = "security"
    icon = "globe"
    sentence = "Begin a login with {provider}"
    synonyms = "social login oidc google github microsoft sso enterprise"
    result_name = "login"
    goes_out = True
    parameters = (
        Value("provider", "The provider's name, as in the settings.", required=True, type=t.TEXT),
        Value(
            "redirect_uri",
            "The page of the app that the person comes back to; the provider's first when left out.",
            type=t.TEXT.or_null(),
            default=None,
        ),
    )
    run = staticmethod(start_provider_login)
    raises = ("NOT_FOUND", "PROVIDER_FAILED")
    examples = (
        {
            "lines": [
                {"step": "start_provider_login", "as": "login", "params": {"provider": "google"}},
            ],
            "response": "login.url",
            "runs": False,
            "is": "…",
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """Address and state."""
        return STARTED
