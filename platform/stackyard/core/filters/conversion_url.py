"""Filters for URLs (RFC 3986) and their query strings."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, quote_plus, unquote_to_bytes, urlsplit, urlunsplit

from .. import types as t
from ..body import parse_pairs
from ..errors import Problem
from ..filter import Budget, filter
from ..guards import Refusal, show
from .values import text_from, utf8

_MOST_PARTS = 1_000
_NULLABLE = t.TEXT.or_null()
_PARTS = t.object_of(
    dict.fromkeys(("scheme", "user", "password", "host", "path", "query", "fragment"), _NULLABLE)
    | {"port": t.INT.or_null()}
)


def _decoded(text: str) -> str:
    return text_from(unquote_to_bytes(utf8(text)))


@filter("conversion")
def url_encode(value: str) -> str:
    """A text as a form or a query string spells it: blanks as `+`, other special characters as `%` and their bytes.

    >>> "Hello, World!" | url_encode
    "Hello%2C+World%21"
    """
    return quote_plus(utf8(value))


@filter("conversion")
def url_decode(value: str) -> str:
    """The text that a form or a query string spells.

    >>> "Hello%2C+World%21" | url_decode
    "Hello, World!"
    """
    return _decoded(value.replace("+", " "))


@filter("conversion")
def url_encode_rfc3986(value: str) -> str:
    """A text as any part of a URL spells it: blanks are `%20`.

    >>> "Hello, World!" | url_encode_rfc3986
    "Hello%2C%20World%21"
    """
    return quote(utf8(value), safe="")


@filter("conversion")
def url_decode_rfc3986(value: str) -> str:
    """The text that a part of a URL spells; `+` stays.

    >>> "1+1%3D2" | url_decode_rfc3986
    "1+1=2"
    """
    return _decoded(value)


def _split(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise Refusal(f"expected a URL, got {show(url)}") from None
    return parts


@filter("conversion", result=lambda _given: _PARTS)
def url_parse(value: str) -> dict[str, object]:
    """The parts of a URL; those it lacks are null.

    >>> "https://example.com:8080/a?b=1#c" | url_parse | pick(["host", "port", "path", "query"])
    {host: "example.com", port: 8080, path: "/a", query: "b=1"}
    """
    parts = _split(value)
    return {
        "scheme": parts.scheme or None,
        "user": None if parts.username is None else _decoded(parts.username),
        "password": None if parts.password is None else _decoded(parts.password),
        "host": parts.hostname,
        "port": parts.port,
        "path": parts.path or None,
        "query": parts.query or None,
        "fragment": parts.fragment or None,
    }


def _arguments(url: str) -> tuple[Any, list[str]]:
    parts = _split(url)
    arguments = parts.query.split("&") if parts.query else []
    if len(arguments) > _MOST_PARTS:
        raise Refusal(f"a query string has at most {_MOST_PARTS:,} arguments")
    return parts, arguments


def _names(argument: str, key: str) -> bool:
    return url_decode(argument.partition("=")[0]) == key


@filter("conversion")
def url_addarg(value: str, key: str, argument: str | int | float | bool) -> str:
    """The URL with an argument in its query string, in place of others of that name.

    >>> "https://example.com/?a=1" | url_addarg("b", "x y")
    "https://example.com/?a=1&b=x+y"
    >>> "/list?page=1" | url_addarg("page", 2)
    "/list?page=2"
    """
    parts, arguments = _arguments(value)
    text = argument if isinstance(argument, str) else _plain(argument)
    added = f"{url_encode(key)}={url_encode(text)}"
    kept = [entry for entry in arguments if not _names(entry, key)]
    return str(urlunsplit(parts._replace(query="&".join([*kept, added]))))


def _plain(value: int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@filter("conversion")
def url_delarg(value: str, key: str) -> str:
    """The URL without an argument of its query string.

    >>> "https://example.com/?a=1&b=2" | url_delarg("a")
    "https://example.com/?b=2"
    """
    parts, arguments = _arguments(value)
    return str(urlunsplit(parts._replace(query="&".join(e for e in arguments if not _names(e, key)))))


@filter("conversion")
def url_hasarg(value: str, key: str) -> bool:
    """Whether the query string of a URL has an argument.

    >>> "https://example.com/?a=1" | url_hasarg("a")
    true
    """
    return any(_names(argument, key) for argument in _arguments(value)[1])


@filter("conversion")
def url_getarg(value: str, key: str, default: str | None = None) -> str | None:
    """An argument of the query string of a URL, or the default.

    >>> "https://example.com/?a=x+y" | url_getarg("a")
    "x y"
    >>> "https://example.com/" | url_getarg("a", "none")
    "none"
    """
    found = next((argument for argument in _arguments(value)[1] if _names(argument, key)), None)
    return default if found is None else url_decode(found.partition("=")[2])


@filter("conversion")
def querystring_parse(budget: Budget, value: str) -> dict[str, object]:
    """The arguments of a query string: texts, and lists of texts where a name comes twice.

    >>> "a=1&b=x+y&c=1&c=2" | querystring_parse
    {a: "1", b: "x y", c: ["1", "2"]}
    """
    budget.room(2 * len(value))
    try:
        return parse_pairs(utf8(value.removeprefix("?")).decode())
    except Problem as problem:
        raise Refusal(f"the text is not a query string: {problem.message}") from None
