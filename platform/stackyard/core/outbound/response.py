"""What another server answered."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from urllib3 import BaseHTTPResponse

from ..body import parse_json, split_media_type
from ..errors import Problem
from .bodies import BYTES

_TEXTS = frozenset(
    {"application/xml", "application/javascript", "application/x-www-form-urlencoded", "application/yaml"}
    | {"application/x-ndjson", "application/csv", "application/graphql", "application/sql"}
)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whatever its status.

    `headers` by name in lower case: a text, several of one name joined by ", " (RFC 9110 §5.3), but `set-cookie` always a
    list. `body` is decompressed. `url` is where it came from after redirects, without user name, password and fragment.
    """

    status: int
    headers: Mapping[str, str | list[str]]
    body: bytes
    duration_seconds: float
    url: str
    reason: str = ""
    was_redirected: bool = False

    def parsed(self) -> Any:
        """The body as a value, by its Content-Type: JSON, text, or `{"$bytes": base64}`; null when it is empty.

        JSON that Stackyard would not take from a caller either (broken, a key twice, a number past 64 bits) stays text.
        """
        if not self.body:
            return None
        stated = self.headers.get("content-type", "")
        essence, parameters = split_media_type(stated if isinstance(stated, str) else "")
        if essence.endswith(("/json", "+json")):
            try:
                return parse_json(self.body)
            except Problem:
                return self._text("utf-8")
        if essence.startswith("text/") or essence.endswith("+xml") or essence in _TEXTS:
            return self._text(parameters.get("charset", "utf-8"))
        if not essence:
            try:
                return self.body.decode()
            except UnicodeDecodeError:
                pass
        return {BYTES: b64encode(self.body).decode()}

    def _text(self, charset: str) -> str:
        try:
            return self.body.decode(charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")


def headers_of(response: BaseHTTPResponse) -> dict[str, str | list[str]]:
    """The headers of an answer as `Response` has them."""
    made: dict[str, str | list[str]] = {}
    for name in response.headers:
        key = name.lower()
        several = [_decoded(value) for value in response.headers.getlist(name)]
        made[key] = several if key == "set-cookie" else ", ".join(several)
    return made


def _decoded(value: str) -> str:
    """Headers come as Latin-1 text of their bytes; most that are not ASCII are UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
