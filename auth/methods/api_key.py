"""A program calls with a key."""

from __future__ import annotations

from collections.abc import Mapping

from stackyard.core.errors import Problem
from stackyard.core.principal import Principal

from ..keys import FoundKey, find_valid, looks_like_key
from . import AuthMethod, bearer_of


class ApiKeyMethod(AuthMethod):
    """A key of the workspace, sent as `X-API-Key` or as a bearer; its scopes say what it may call."""

    name = "api_key"
    label = "API key"
    icon = "key"
    sentence = "programs with a key"
    challenge = 'Bearer realm="api"'
    hint = "Send an API key in the header X-API-Key."
    security_scheme = {"type": "apiKey", "in": "header", "name": "X-API-Key"}

    def authenticate(
        self, headers: Mapping[str, str], workspace_id: int, group_name: str, endpoint_name: str, reads: bool
    ) -> Principal | None:
        """The key's principal. Problem 401 for a wrong key, 403 for one whose scopes leave this endpoint out."""
        text = headers.get("HTTP_X_API_KEY")
        if text is None:
            text = bearer_of(headers)
            if text is None or not looks_like_key(text):
                return None
        return admitted(find_valid(text, workspace_id, headers), group_name, endpoint_name, reads)


def admitted(key: FoundKey, group_name: str, endpoint_name: str, reads: bool) -> Principal:
    """The principal of a valid key. Problem 403 when its scopes leave this endpoint out."""
    if not key.allows(group_name, endpoint_name, reads):
        raise Problem(
            "ACCESS_DENIED",
            "This API key may not call this endpoint.",
            suggestion=f"Give the key the scope {group_name}/{endpoint_name}, or use another key.",
        )
    return key.principal
