"""The id of a call: sent by the caller or made here, in every answer, every error and the request history."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._~+/=:@-]{1,64}\Z")


def choose_request_id(given: str | None) -> str:
    """The caller's id when it is 1 to 64 harmless characters, else a random one of 22."""
    if given and _ACCEPTED.match(given):
        return given
    return secrets.token_urlsafe(16)


def request_id_of(request: HttpRequest) -> str:
    """The id of a Django request, the same at every question."""
    known: str | None = getattr(request, "request_id", None)
    if known is None:
        known = choose_request_id(request.headers.get(HEADER))
        request.request_id = known  # type: ignore[attr-defined]
    return known


class RequestIds:
    """Middleware: every answer carries the id, also those made by other middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault(HEADER, request_id_of(request))
        return response
