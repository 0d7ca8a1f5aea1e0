"""The strict reader of request bodies: how many bytes, which media type, and what they say.

Sizes are checked before anything is read, chunked bodies are read as they are, and JSON is taken only as
RFC 8259 has it: UTF-8, no key twice, no NaN or infinity, no number past 64 bits, at most 64 levels deep.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn, Protocol
from urllib.parse import unquote_to_bytes

import orjson

from .errors import Problem
from .limits import FORM_FIELDS, JSON_DEPTH

_BLOCK = 65_536
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii"})


class Stream(Protocol):
    """WSGI's `wsgi.input`."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


def read_body(environ: Mapping[str, Any], limit: int) -> bytes:
    """The whole body of a WSGI request, at most `limit` bytes.

    Problem `PAYLOAD_TOO_LARGE` before more than `limit` bytes are read, `UNSUPPORTED_MEDIA_TYPE` for a compressed
    body, `INVALID_INPUT` when the body ends before its stated length.
    """
    length = _stated_length(environ, limit)
    if length is None:
        return _read(environ["wsgi.input"], limit + 1, limit)
    if length == 0:
        return b""
    body = _read(environ["wsgi.input"], length, limit)
    if len(body) < length:
        raise Problem("INVALID_INPUT", f"The body ended after {len(body)} of {length} bytes.")
    return body


def body_blocks(environ: Mapping[str, Any], limit: int) -> Iterator[bytes]:
    """The body of a WSGI request as it comes in, for what is too large to hold; the Problems are those of `read_body`."""
    stated = _stated_length(environ, limit)
    read = 0
    while stated is None or read < stated:
        block = environ["wsgi.input"].read(_BLOCK if stated is None else min(_BLOCK, stated - read))
        if not block:
            break
        read += len(block)
        if read > limit:
            raise _too_large(limit)
        yield block
    if stated is not None and read < stated:
        raise Problem("INVALID_INPUT", f"The body ended after {read} of {stated} bytes.")


def _stated_length(environ: Mapping[str, Any], limit: int) -> int | None:
    """How long the body is; None when only its end says."""
    encoding = environ.get("HTTP_CONTENT_ENCODING", "")
    if encoding and encoding.strip().lower() != "identity":
        raise Problem(
            "UNSUPPORTED_MEDIA_TYPE",
            f'The body is encoded as "{encoding[:40]}".',
            suggestion="Send it without Content-Encoding.",
        )
    stated = environ.get("CONTENT_LENGTH") or ""
    if stated and "HTTP_TRANSFER_ENCODING" in environ:
        # RFC 9112 §6.3: two lengths are an attempt to be understood in two ways.
        raise Problem("INVALID_INPUT", "Content-Length and Transfer-Encoding exclude each other.")
    if "HTTP_TRANSFER_ENCODING" in environ or (not stated and environ.get("wsgi.input_terminated")):
        return None
    if not stated:
        return 0
    if not (stated.isascii() and stated.isdigit()):
        raise Problem("INVALID_INPUT", "Content-Length is not a number.")
    length = int(stated[:20])
    if length > limit:
        raise _too_large(limit)
    return length


def _read(stream: Stream, wanted: int, limit: int) -> bytes:
    blocks: list[bytes] = []
    read = 0
    while read < wanted:
        block = stream.read(min(wanted - read, _BLOCK))
        if not block:
            break
        blocks.append(block)
        read += len(block)
    if read > limit:
        raise _too_large(limit)
    return blocks[0] if len(blocks) == 1 else b"".join(blocks)


def _too_large(limit: int) -> Problem:
    return Problem("PAYLOAD_TOO_LARGE", f"The body is larger than {limit:,} bytes.")


def parse_body(raw: bytes, content_type: str) -> Any:
    """What a body says: any JSON value, or for forms a map of names to texts (lists where a name comes twice).

    Problem `UNSUPPORTED_MEDIA_TYPE` for other types and charsets; without a type the body is taken as JSON.
    """
    essence, parameters = split_media_type(content_type)
    charset = parameters.get("charset", "utf-8").lower()
    if charset not in _UTF8:
        raise Problem(
            "UNSUPPORTED_MEDIA_TYPE", f'The charset "{charset[:40]}" is not taken.', suggestion="Send UTF-8."
        )
    if essence in {"application/json", ""} or (
        essence.startswith("application/") and essence.endswith("+json")
    ):
        return parse_json(raw)
    if essence == _FORM:
        return parse_pairs(_utf8(raw))
    if essence == _MULTIPART:
        return _parse_multipart(raw, content_type)
    raise Problem(
        "UNSUPPORTED_MEDIA_TYPE",
        f'The media type "{essence[:80]}" is not taken.',
        suggestion=f"Send application/json, {_FORM} or {_MULTIPART}.",
    )


def split_media_type(text: str) -> tuple[str, dict[str, str]]:
    """`type/subtype` in lower case and the parameters of a Content-Type (RFC 9110 §8.3.1)."""
    if ";" not in text:
        return text.strip().lower(), {}
    essence, *rest = text.split(";")
    parameters = {}
    for part in rest:
        name, _, value = part.partition("=")
        parameters[name.strip().lower()] = value.strip().strip('"')
    return essence.strip().lower(), parameters


def is_form(content_type: str) -> bool:
    """Whether a body of this type says texts by name, not JSON."""
    return split_media_type(content_type)[0] in {_FORM, _MULTIPART}


def parse_json(raw: bytes) -> Any:
    """The value of a JSON text. Problem `INVALID_JSON` that says what is wrong and, where it can, at which place."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _invalid(f"The body is not valid JSON: {error.msg.split(': line ')[0]} ({place}).") from None
    if b"\\u" in raw or _is_suspicious(value, raw):
        _look_closely(value, raw)
    return value


def _is_suspicious(value: Any, raw: bytes) -> bool:
    """Whether the text may hold more than orjson tells: a key twice, too many levels, a number past 64 bits.

    orjson keeps the last of equal keys. Written again the value then has fewer colons than its text, which is
    exact as long as no text in it is escaped (an escape could hide a colon); both counts run at C speed.
    """
    kind = type(value)
    if kind is not dict and kind is not list:
        return kind is float and _passes_64_bits(value)
    if raw.count(b"[") + raw.count(b"{") > JSON_DEPTH.default:
        _check_depth(value)
    return raw.count(b":") != orjson.dumps(value).count(b":") or _has_huge(value)


def _passes_64_bits(number: float) -> bool:
    """orjson reads a whole number past 64 bits as a float, and only such a number or one with an exponent is that large."""
    return number >= 1.8e19 or number <= -9.2e18


def _has_huge(value: Any) -> bool:
    parts: Iterable[Any] = value.values() if type(value) is dict else value
    for part in parts:
        kind = type(part)
        if kind is float:
            if _passes_64_bits(part):
                return True
        elif (kind is dict or kind is list) and _has_huge(part):
            return True
    return False


def _look_closely(value: Any, raw: bytes) -> None:
    """The exact check, through the standard library's scanner, which shows every key and every number as written."""
    _check_depth(value)
    text = raw.decode("utf-8")
    json.loads(
        text,
        object_pairs_hook=_distinct,
        parse_int=_whole,
        parse_float=_finite,
        parse_constant=lambda word: _refuse(f"{word} is not JSON."),
    )
    if b"\\u0000" in raw:
        _check_texts(value)


def _check_depth(value: Any) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(JSON_DEPTH.default):
        level = [
            part
            for outer in level
            for part in (outer.values() if type(outer) is dict else outer)
            if type(part) is dict or type(part) is list
        ]
        if not level:
            return
    _refuse(f"The body nests deeper than {JSON_DEPTH.default} levels.")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                _refuse(f'The key "{key[:60]}" is given twice in one object.')
            seen.add(key)
    return made


def _whole(text: str) -> int:
    if len(text) < 19:
        return int(text)
    number = int(text) if len(text) < 40 else 2**64
    if not -(2**63) <= number < 2**64:
        _refuse(f"The number {text[:24]}… does not fit in 64 bits.")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        _refuse(f"The number {text[:24]} is too large.")
    return number


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value:
            _refuse("A text holds the character NUL.")
    elif isinstance(value, dict):
        for key, part in value.items():
            _check_texts(key)
            _check_texts(part)
    elif isinstance(value, list):
        for part in value:
            _check_texts(part)


def _invalid(message: str) -> Problem:
    return Problem("INVALID_JSON", message)


def _refuse(message: str) -> NoReturn:
    raise _invalid(message)


Pairs = dict[str, Any]


def parse_pairs(text: str) -> Pairs:
    """A query string or an urlencoded form: `k=a&k=b` and `k[]=a&k[]=b` give `{"k": ["a", "b"]}`, `k=a` gives text.

    Problem `INVALID_INPUT` for more than 1,000 pairs, bytes that are not UTF-8 and NUL.
    """
    if not text:
        return {}
    parts = text.split("&", FORM_FIELDS.default)
    if len(parts) > FORM_FIELDS.default:
        raise _too_many()
    found: list[tuple[str, Any]] = []
    for part in parts:
        name, _, value = part.partition("=")
        if name or value:
            found.append((_decoded(name), _decoded(value)))
    return _gathered(found)


def _decoded(text: str) -> str:
    if "%" in text or "+" in text or not text.isascii():
        text = _utf8(unquote_to_bytes(text.replace("+", " ")))
    if "\0" in text:
        raise Problem("INVALID_INPUT", "A value holds the character NUL.")
    return text


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem("INVALID_INPUT", "The text is not valid UTF-8.") from None


def _gathered(found: Iterable[tuple[str, Any]]) -> Pairs:
    made: Pairs = {}
    for name, value in found:
        is_list = name.endswith("[]")
        key = name[:-2] if is_list else name
        if key not in made:
            made[key] = [value] if is_list else value
        elif isinstance(made[key], list):
            made[key].append(value)
        else:
            made[key] = [made[key], value]
    return made


def _too_many() -> Problem:
    message = f"More than {FORM_FIELDS.default:,} fields came in one request."
    return Problem("INVALID_INPUT", message)


def read_form(environ: Mapping[str, Any], limit: int) -> Pairs:
    """A multipart form as it comes in, files as `Upload`; Problems as of `read_body` and `parse_body`."""
    from .multipart import BoundedStream, parts_of

    length = _stated_length(environ, limit)
    if length == 0:
        return {}
    stream = BoundedStream(environ["wsgi.input"].read, length, limit)
    return _gathered(parts_of(stream, limit if length is None else length, environ.get("CONTENT_TYPE", "")))


def _parse_multipart(raw: bytes, content_type: str) -> Pairs:
    from .multipart import parts_of

    return _gathered(parts_of(io.BytesIO(raw), len(raw), content_type))
