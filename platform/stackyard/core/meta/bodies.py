"""JSON in and out of the management API, as strict as everywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from ..body import parse_json, read_body, split_media_type
from ..errors import Problem
from ..jsonout import encode
from ..limits import REQUEST_BYTES


def read_json(request: HttpRequest, *, may_be_empty: bool = False) -> Any:
    """The JSON value of a request's body; an empty body is `{}` where `may_be_empty`.

    Problem `UNSUPPORTED_MEDIA_TYPE`, `PAYLOAD_TOO_LARGE` or `INVALID_JSON`.
    """
    essence, parameters = split_media_type(request.META.get("CONTENT_TYPE", ""))
    is_json = essence in ("", "application/json") or (
        essence.startswith("application/") and essence.endswith("+json")
    )
    if not is_json or parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise Problem(
            "UNSUPPORTED_MEDIA_TYPE",
            f'The media type "{essence[:80]}" is not taken here.',
            suggestion="Send application/json in UTF-8.",
        )
    raw = read_body(request.META, REQUEST_BYTES.default)
    if not raw and may_be_empty:
        return {}
    return parse_json(raw)


class JSONAnswers(BaseRenderer):
    """Answers as JSON, written by the one encoder."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The bytes; nothing at all where there is no body (204)."""
        response = (renderer_context or {}).get("response")
        if response is not None and response.status_code == 204:
            return b""
        return encode(data)


class JSONBodies(BaseParser):
    """Says in the description that bodies are JSON; `MetaViewSet.body` reads them."""

    media_type = "application/json"


class AlwaysJSON(BaseContentNegotiation):
    """There is one form in and one form out, whatever `Accept` says (RFC 9110 §12.5.1 allows that)."""

    def select_parser(self, request: Any, parsers: Iterable[Any]) -> Any:
        """The one parser."""
        return next(iter(parsers))

    def select_renderer(self, request: Any, renderers: Iterable[Any], format_suffix: Any = None) -> Any:
        """The one renderer."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
