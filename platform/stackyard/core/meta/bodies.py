"""JSON in and out of the management API, as strict as everywhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from ..jsonout import encode


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

    def select_parser(self, request: Any, parsers: Sequence[Any]) -> Any:
        """The one parser."""
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Sequence[Any], format_suffix: Any = None) -> Any:
        """The one renderer."""
        return renderers[0], renderers[0].media_type
