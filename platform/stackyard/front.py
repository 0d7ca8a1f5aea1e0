"""The door ahead of Django for API paths: the same view, without the middleware that only the console needs.

Django's handler sends signals and walks its middleware for every request, which costs more than serving a record
(http.md §2). The door does what of that an API needs: broken database connections are closed after an error, all
others stay open. Everything but `/api:<canonical>/…` and `/api/<mount>/…` goes on to Django.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest

from endpoints.views import EndpointView
from stackyard.core.client_address import networks_of

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_REASONS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def is_endpoint_path(path: str) -> bool:
    """Whether an endpoint answers under this path; `/api:meta` is the management API."""
    if path[:5] == "/api/":
        return True
    return path[:5] == "/api:" and path != "/api:meta" and path[:10] != "/api:meta/"


class Front:
    """A WSGI application that serves endpoints itself and hands everything else to another one."""

    def __init__(self, behind: Application) -> None:
        """ValueError for TRUSTED_PROXIES that cannot be read: that must stop the start, not every call."""
        networks_of(tuple(settings.TRUSTED_PROXIES))
        self._behind = behind
        self._view = EndpointView.as_view()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """PEP 3333."""
        raw_path = environ.get("PATH_INFO", "")
        if not is_endpoint_path(raw_path):
            return self._behind(environ, start_response)
        request = WSGIRequest(environ)
        request.raw_path = raw_path  # type: ignore[attr-defined]
        response = self._view(request)
        status = response.status_code
        start_response(_REASONS.get(status) or f"{status} Unknown", list(response.headers.items()))
        return [response.content]
