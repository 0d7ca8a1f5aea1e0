"""How the description of the management API names the ways into it. drf-spectacular finds these by being imported."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension


class KeyScheme(OpenApiAuthenticationExtension):
    """`X-API-Key`."""

    target_class = "auth.meta.MetaKey"
    name = "api_key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """A header."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "A key with scope `meta`.",
        }


class SessionScheme(OpenApiAuthenticationExtension):
    """The console's session."""

    target_class = "auth.meta.ConsoleSession"
    name = "console"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """The console's cookie."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "The session of the console; send `X-CSRFToken` with everything but GET.",
        }
