"""The language of the console: the person's choice in the user menu, else what the browser asks for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware

_PAGES = ("/admin/", "/oauth/authorize", "/oauth/leave", "/oauth/console/")


class ConsoleLanguage(LocaleMiddleware):
    """Django's LocaleMiddleware for pages that people read: the API answers in one language whatever a browser asks for."""

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language for a page of the console, or of logging in and consenting."""
        if request.path_info.startswith(_PAGES):
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """Say which language it is, on those pages."""
        if not request.path_info.startswith(_PAGES):
            return response
        answer: HttpResponseBase = super().process_response(request, response)
        return answer
