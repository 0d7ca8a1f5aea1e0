"""A person of what was built calls: a record of an auth-enabled table, with an access token."""

from __future__ import annotations

from collections.abc import Mapping

from stackyard.core.principal import Principal

from ..holders import holder_of
from ..tokens import looks_like_token
from . import AuthMethod, bearer_of


class JwtMethod(AuthMethod):
    """An access token of a user of this workspace, sent as a bearer; `auth` in the stack says who it is."""

    name = "jwt"
    label = "User token (JWT)"
    icon = "user"
    sentence = "users who are logged in"
    challenge = 'Bearer realm="api"'
    hint = "Log in, and send the authToken in the header Authorization: Bearer …"
    security_scheme = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}

    def authenticate(
        self, headers: Mapping[str, str], workspace_id: int, group_name: str, endpoint_name: str, reads: bool
    ) -> Principal | None:
        """The user's principal. Problem 401 for a token that is not good now."""
        text = bearer_of(headers)
        if text is None or not looks_like_token(text):
            return None
        return holder_of(text, workspace_id)
