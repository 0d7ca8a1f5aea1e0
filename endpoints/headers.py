"""Headers a stack may set on its answer: an allow-list, so that no door of ours can be opened from inside one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stackyard.core.errors import Problem

_ALLOWED = frozenset(
    {
        "accept-ranges",
        "age",
        "cache-control",
        "content-disposition",
        "content-language",
        "content-location",
        "content-type",
        "etag",
        "expires",
        "last-modified",
        "link",
        "location",
        "retry-after",
        "vary",
    }
)
# `X-…` is free but for what is ours, the proxy's or the browser's to believe.
_OURS = frozenset(
    {
        "x-request-id",
        "x-content-type-options",
        "x-frame-options",
        "x-xss-protection",
        "x-accel-redirect",
        "x-sendfile",
    }
)
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]{0,8000}\Z")

Headers = list[tuple[str, str]]


def stack_headers(given: Sequence[tuple[str, str]]) -> Headers:
    """The headers a stack has set, checked. Problem `HEADER_REFUSED` (500) for one it may not set."""
    for name, value in given:
        lower = name.lower()
        if not (
            lower in _ALLOWED
            or (lower.startswith("x-") and lower not in _OURS and not lower.startswith("x-accel-"))
        ):
            raise _refused(f'A stack may not set the header "{name[:100]}".')
        if not _NAME.match(name) or not _VALUE.match(value):
            raise _refused(
                f'The value of the header "{name[:100]}" holds a character that no header may hold.'
            )
    return list(given)


def _refused(message: str) -> Problem:
    hint = "Use Content-Type, Cache-Control, Location and the like, or a name that begins with X-."
    return Problem("HEADER_REFUSED", message, status=500, suggestion=hint)


def content_type_of(headers: Sequence[tuple[str, str]]) -> str | None:
    """The Content-Type among headers."""
    return next((value for name, value in headers if name.lower() == "content-type"), None)
