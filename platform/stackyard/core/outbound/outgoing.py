"""A request as it goes over the line, and what becomes of it at a redirect."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlencode, urljoin

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from ..expressions.operations import text_of
from .addresses import may_use_port, refused
from .faults import invalid

_METHOD = re.compile(r"[A-Z][A-Z_-]{0,31}")
_NO_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_NOT_IN_VALUES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LONGEST_URL = 32_768
_MOST_HEADERS = 100

# What the connection itself says; two lengths or two hosts would be an attempt to be understood in two ways.
CONNECTION_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
    }
    | {"te", "trailer", "transfer-encoding", "upgrade"}
)
# All that another origin is told after a redirect. Keys travel in headers of any name, so the rest stays behind.
_HARMLESS = frozenset(
    {"accept", "accept-encoding", "accept-language", "cache-control", "content-language", "content-type"}
    | {"if-modified-since", "if-none-match", "range", "user-agent"}
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`host` in lower case, as A-labels where it is not ASCII; `target` is path and query, percent-encoded."""

    method: str
    scheme: str
    host: str
    port: int
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None

    @property
    def origin(self) -> tuple[str, str, int]:
        """Whom the caller means to talk to."""
        return self.scheme, self.host.rstrip("."), self.port

    @property
    def url(self) -> str:
        """The address, without user name, password and fragment."""
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.target}"

    def redirected(self, status: int, location: str | None) -> Outgoing | None:
        """The request a redirect asks for (Fetch standard, "HTTP-redirect fetch"); None when it asks for none.

        301 and 302 make GET of POST, 303 of everything but HEAD. Another origin gets no header that could be a
        credential. Problem `ADDRESS_REFUSED` for an address that is not http, https or at a port that may not be called.
        """
        if status not in _REDIRECTS or not location:
            return None
        try:
            url = _parsed(urljoin(self.url, location.encode("latin-1").decode("utf-8", "replace")))
        except (ValueError, LocationParseError):
            raise refused(
                f'"{self.host}" redirects to something that is not the address of a web server.'
            ) from None
        next_ = replace(self, **_place(url))
        if self._becomes_get(status):
            kept = {name: value for name, value in self.headers.items() if not name.startswith("content-")}
            next_ = replace(next_, method="GET", body=None, headers=kept)
        if next_.origin != self.origin:
            kept = {name: value for name, value in next_.headers.items() if name in _HARMLESS}
            next_ = replace(next_, headers=kept)
        return next_

    def _becomes_get(self, status: int) -> bool:
        if status == 303:
            return self.method not in ("GET", "HEAD")
        return status in (301, 302) and self.method == "POST"


def outgoing(
    method: str,
    url: str,
    query: Mapping[str, Any] | None,
    headers: Mapping[str, Any] | None,
    body: bytes | None,
    content_type: str | None,
) -> Outgoing:
    """A request from its parts. Problem `REQUEST_INVALID`, or `ADDRESS_REFUSED` for a scheme or port that may not be called.

    A user name and password in the URL become an `Authorization: Basic` header. Header names come out in lower case.
    """
    verb = method.upper() if isinstance(method, str) else ""
    if not _METHOD.fullmatch(verb) or verb in _NO_METHODS:
        raise invalid(
            f'"{text_of(method)[:40]}" is not a method that can be sent.',
            "Use GET, POST, PUT, PATCH or DELETE.",
        )
    if not isinstance(url, str) or len(url) > _LONGEST_URL:
        raise invalid(f"A URL is a text of at most {_LONGEST_URL:,} characters.")
    try:
        parsed = _parsed(url.strip())
    except (ValueError, LocationParseError):
        raise invalid(
            "The URL is not one of a web server.", "It begins with https:// or http:// and names a host."
        ) from None
    if query:
        added = urlencode(list(pairs(query, "query")))
        parsed = parsed._replace(query=f"{parsed.query}&{added}" if parsed.query else added)
    sent = {"accept": "*/*", "accept-encoding": "gzip, deflate", "user-agent": "Stackyard"}
    if content_type is not None:
        sent["content-type"] = content_type
    if parsed.auth:
        sent["authorization"] = "Basic " + b64encode(unquote(parsed.auth).encode()).decode()
    sent.update(_checked_headers(headers or {}))
    return Outgoing(method=verb, headers=sent, body=body, **_place(parsed))


def _parsed(url: str) -> Url:
    """ValueError when the text is not a URL with a host."""
    parsed = parse_url(url)
    if not parsed.scheme or not parsed.host:
        raise ValueError("no scheme or no host")
    return parsed


def _place(url: Url) -> dict[str, Any]:
    scheme = (url.scheme or "").lower()
    if scheme not in _DEFAULT_PORTS:
        raise refused(f'Only http and https may be called, not "{scheme[:40]}".')
    port = _DEFAULT_PORTS[scheme] if url.port is None else url.port
    if not may_use_port(port):
        raise refused(f"Port {port} is not one that may be called.")
    return {"scheme": scheme, "host": url.host, "port": port, "target": url.request_uri}


def _checked_headers(headers: Mapping[str, Any]) -> dict[str, str]:
    if not isinstance(headers, Mapping) or len(headers) > _MOST_HEADERS:
        raise invalid(f"Headers are an object of at most {_MOST_HEADERS} names and texts.")
    made: dict[str, str] = {}
    for name, value in headers.items():
        key = str(name).lower()
        if not _HEADER.fullmatch(key):
            raise invalid(f'"{str(name)[:60]}" is not the name of a header.')
        if key in CONNECTION_HEADERS:
            raise invalid(f'The header "{key}" is set by the connection itself; leave it out.')
        if value is None:
            continue
        text = ", ".join(map(text_of, value)) if isinstance(value, list) else text_of(value)
        if _NOT_IN_VALUES.search(text):
            raise invalid(f'The header "{key}" holds a line break or another control character.')
        # Headers are bytes that HTTP's client takes as Latin-1: these are the bytes of UTF-8.
        made[key] = text.strip().encode("utf-8", "replace").decode("latin-1")
    return made


def pairs(values: Mapping[str, Any], what: str) -> Iterable[tuple[str, str]]:
    """Names and texts of a query or a form: a list gives a pair for each element, null none.

    Problem `REQUEST_INVALID` for objects and lists of lists.
    """
    if not isinstance(values, Mapping):
        raise invalid(f'"{what}" is an object of names and values.')
    for name, value in values.items():
        several: Sequence[Any] = value if isinstance(value, list) else [value]
        for one in several:
            if isinstance(one, dict | list):
                raise invalid(
                    f'"{what}.{name}" is a text, a number or a list of them.',
                    "Make it a text with json_encode.",
                )
            if one is not None:
                yield str(name), text_of(one)
