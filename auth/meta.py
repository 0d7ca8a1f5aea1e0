"""The two ways into the management API (contract §2).

An API key whose scopes name `meta`, or the session of somebody who is signed in to the console; a session needs
the CSRF token with everything but reading.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework.authentication import BaseAuthentication, CSRFCheck, SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from stackyard.core.errors import Problem
from stackyard.core.principal import Principal

from .callers import bearer_of
from .keys import check_place, find_key
from .methods.api_key import ApiKeyMethod
from .roles import principal_of


class MetaKey(BaseAuthentication):
    """A key in `X-API-Key`, or as a bearer."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        """The key's principal, or None without a key. Problem `UNAUTHORIZED` for one that does not open anything."""
        text = request.META.get("HTTP_X_API_KEY")
        if text is None:
            text = bearer_of(request.META)
        if text is None:
            return None
        key = find_key(text)
        if key is None:
            raise Problem(
                "UNAUTHORIZED",
                "The API key is not valid.",
                suggestion="Check that it was not revoked.",
                headers={"WWW-Authenticate": ApiKeyMethod.challenge},
            )
        check_place(key, request.META)
        return key.principal, None

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return ApiKeyMethod.challenge


class ConsoleSession(SessionAuthentication):
    """The session of an account that may use the console."""

    def authenticate(self, request: Request) -> tuple[Principal, Any] | None:
        """The builder and the account, or None. DRF PermissionDenied when the CSRF token is missing or wrong."""
        found = super().authenticate(request)
        if found is None or not found[0].is_staff:
            return None
        account = found[0]
        return principal_of(account), account

    def enforce_csrf(self, request: Request) -> None:
        """Ask Django's own request, so that the JSON body stays unread. DRF PermissionDenied."""
        check = CSRFCheck(lambda _request: HttpResponse())
        check.process_request(request._request)
        reason = check.process_view(request._request, lambda _request: HttpResponse(), (), {})
        if reason:
            raise PermissionDenied(f"The CSRF check failed: {reason} Send the cookie's token as X-CSRFToken.")
