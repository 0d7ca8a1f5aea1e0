"""A program of somebody else calls, for a user or for itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from stackyard.core.errors import Problem
from stackyard.core.principal import Principal

from ..oauth.issued import find_token, looks_like_access_token
from . import AuthMethod, bearer_of


class OAuth2Method(AuthMethod):
    """An access token that a user of this workspace gave to an application, within its scopes, sent as a bearer."""

    name = "oauth2"
    label = "OAuth 2.0"
    icon = "shield"
    sentence = "applications with an OAuth token"
    challenge = 'Bearer realm="api"'
    hint = "Get an access token at /oauth/authorize, and send it in the header Authorization: Bearer …"
    security_scheme = {"type": "oauth2"}

    @classmethod
    def scheme_of(cls, group: str) -> Mapping[str, Any]:
        """Both ways to a token, and the group's scopes."""
        token = {
            "tokenUrl": f"{settings.PUBLIC_URL}/oauth/token",
            "refreshUrl": f"{settings.PUBLIC_URL}/oauth/token",
        }
        # Scopes name groups, so only the group's own make sense in its description.
        scopes = {group: f"Everything in {group}", f"{group}:read": f"Reading in {group}"}
        code = {"authorizationUrl": f"{settings.PUBLIC_URL}/oauth/authorize", **token, "scopes": scopes}
        client = {"tokenUrl": token["tokenUrl"], "scopes": scopes}
        return {"type": "oauth2", "flows": {"authorizationCode": code, "clientCredentials": client}}

    @classmethod
    def scopes_for(cls, group: str, reads: bool) -> Sequence[str]:
        """The least that suffices for the whole group."""
        return (f"{group}:read" if reads else group,)

    def authenticate(
        self, headers: Mapping[str, str], workspace_id: int, group_name: str, endpoint_name: str, reads: bool
    ) -> Principal | None:
        """The principal. Problem 401 for a token that is not good here, 403 when its scopes leave this endpoint out."""
        text = bearer_of(headers)
        if text is None or not looks_like_access_token(text):
            return None
        token = find_token(text)
        if token is None or token.workspace_id != workspace_id:
            raise Problem(
                "UNAUTHORIZED",
                "The access token is not valid here, or not any more.",
                suggestion="Exchange the refresh token, or ask for a new one.",
                headers={"WWW-Authenticate": 'Bearer realm="api", error="invalid_token"'},
            )
        if not token.allows(group_name, endpoint_name, reads):
            scope = f"{group_name}:read" if reads else group_name
            raise Problem(
                "ACCESS_DENIED",
                "The access token's scopes leave this endpoint out.",
                suggestion=f"Ask for the scope {scope}.",
                headers={
                    "WWW-Authenticate": f'Bearer realm="api", error="insufficient_scope", scope="{scope}"'
                },
            )
        return token.principal
