"""CORS of an API group (Fetch standard, https://fetch.spec.whatwg.org/#http-cors-protocol).

Callers are known by headers, never by cookies, so a group answers any origin unless it says otherwise, and never
with credentials: that takes a list of origins. `{"origins": []}` turns CORS off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from stackyard.core.errors import Faults, Path, did_you_mean

KEYS = ("origins", "methods", "headers", "credentials", "max_age")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_ORIGIN = re.compile(r"(https?://[A-Za-z0-9.\[\]:-]+|[a-z][a-z0-9+.-]*://[A-Za-z0-9.-]*)\Z")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")
_MAX_AGE = 86_400
_ASKED = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1000}\Z")
_HEADERS = "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Data-Source, X-Request-ID"
EXPOSED = (
    "Deprecation, Idempotent-Replayed, Link, RateLimit, RateLimit-Policy, Retry-After, Sunset, X-Data-Source,"
    " X-Request-ID"
)

Headers = list[tuple[str, str]]


class Cors:
    """The policy of one group, with its headers made beforehand."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._origins: frozenset[str] = frozenset(config.get("origins", ["*"]))
        self._any = "*" in self._origins
        self._credentials = bool(config.get("credentials")) and not self._any
        self._methods: Sequence[str] | None = config.get("methods")
        self._headers: Sequence[str] | None = config.get("headers")
        self._max_age = str(config.get("max_age", _MAX_AGE))
        self._open: Headers = [
            ("Access-Control-Allow-Origin", "*"),
            ("Access-Control-Expose-Headers", EXPOSED),
        ]
        # Caches must not hand one origin's answer to another.
        self._closed: Headers = [("Vary", "Origin")] if self._origins else []

    def headers(self, origin: str | None) -> Headers:
        """What goes with an answer to a page of this origin (None: no page asks)."""
        if self._any:
            return self._open if origin is not None else []
        if origin is None or origin not in self._origins:
            return self._closed
        granted: Headers = [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Expose-Headers", EXPOSED),
            ("Vary", "Origin"),
        ]
        if self._credentials:
            granted.append(("Access-Control-Allow-Credentials", "true"))
        return granted

    def preflight(self, environ: Mapping[str, Any], allowed: Sequence[str]) -> Headers:
        """What goes with the answer to OPTIONS beside `headers`; `allowed` are the methods the path knows."""
        origin = environ.get("HTTP_ORIGIN")
        if origin is None or "HTTP_ACCESS_CONTROL_REQUEST_METHOD" not in environ:
            return []
        if not self._any and origin not in self._origins:
            return []
        methods = [m for m in allowed if m != "OPTIONS" and (self._methods is None or m in self._methods)]
        asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
        return [
            ("Access-Control-Allow-Methods", ", ".join(methods)),
            ("Access-Control-Allow-Headers", self._allowed_headers(asked)),
            ("Access-Control-Max-Age", self._max_age),
        ]

    def _allowed_headers(self, asked: str) -> str:
        if self._headers is not None and "*" not in self._headers:
            return ", ".join(self._headers)
        # `*` would leave out Authorization (Fetch standard §3.3.4), so what is asked is what is allowed.
        return asked if _ASKED.match(asked) else _HEADERS


def check_cors(config: Any, faults: Faults, path: Path = ("cors",)) -> None:
    """Every fault in a group's CORS setting."""
    if not isinstance(config, Mapping):
        faults.error(path, "type", 'CORS is a map such as {"origins": ["https://app.example.com"]}.')
        return
    for key in config:
        if key not in KEYS:
            faults.error((*path, key), "unknown_key", f'CORS has no "{key}".{did_you_mean(str(key), KEYS)}')
    origins = config.get("origins", ["*"])
    _check_list(origins, lambda o: o == "*" or bool(_ORIGIN.match(o)), "origin", faults, (*path, "origins"))
    _check_list(config.get("methods", []), _METHODS.__contains__, "method", faults, (*path, "methods"))
    _check_list(
        config.get("headers", []), lambda h: bool(_TOKEN.match(h)), "header", faults, (*path, "headers")
    )
    credentials, max_age = config.get("credentials", False), config.get("max_age", _MAX_AGE)
    if not isinstance(credentials, bool):
        faults.error((*path, "credentials"), "type", "credentials is true or false.")
    elif credentials and isinstance(origins, list) and "*" in origins:
        faults.error((*path, "credentials"), "value", "Credentials need a list of origins, not *.")
    if not isinstance(max_age, int) or isinstance(max_age, bool) or not 0 <= max_age <= _MAX_AGE:
        faults.error((*path, "max_age"), "value", f"max_age is a number of seconds from 0 to {_MAX_AGE:,}.")


def _check_list(value: Any, takes: Any, word: str, faults: Faults, path: Path) -> None:
    if not isinstance(value, list):
        faults.error(path, "type", f"expected a list of {word}s")
        return
    for index, entry in enumerate(value):
        if not isinstance(entry, str) or not takes(entry):
            faults.error((*path, index), "value", f'"{entry}" is no {word}.')
