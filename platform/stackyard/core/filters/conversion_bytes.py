"""Filters between text and spellings of its bytes. Text is Unicode and its bytes are UTF-8; other bytes are refused."""

from __future__ import annotations

import base64
import binascii
import re

from ..filter import filter
from ..guards import Refusal, show
from .values import text_from, utf8

_BLANKS = re.compile(r"\s+")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*\Z")


def _from_base64(value: str, alphabet: bytes | None) -> str:
    """Reads base64 (RFC 4648) with or without padding and line breaks."""
    digits = _BLANKS.sub("", value).rstrip("=")
    try:
        return text_from(base64.b64decode(digits + "=" * (-len(digits) % 4), alphabet, validate=True))
    except (binascii.Error, ValueError):
        raise Refusal(f"expected base64, got {show(value)}") from None


@filter("conversion")
def base64_encode(value: str) -> str:
    """A text in base64.

    >>> "hello" | base64_encode
    "aGVsbG8="
    """
    return base64.b64encode(utf8(value)).decode()


@filter("conversion")
def base64_decode(value: str) -> str:
    """The text that base64 spells.

    >>> "aGVsbG8=" | base64_decode
    "hello"
    """
    return _from_base64(value, None)


@filter("conversion")
def base64_encode_urlsafe(value: str) -> str:
    """A text in the base64 that can stand in a URL: `-` and `_` for `+` and `/`, without padding.

    >>> "hello?" | base64_encode_urlsafe
    "aGVsbG8_"
    """
    return base64.urlsafe_b64encode(utf8(value)).decode().rstrip("=")


@filter("conversion")
def base64_decode_urlsafe(value: str) -> str:
    """The text that the base64 of URLs spells.

    >>> "aGVsbG8_" | base64_decode_urlsafe
    "hello?"
    """
    return _from_base64(value, b"-_")


@filter("conversion")
def bin2hex(value: str) -> str:
    """The bytes of a text in hexadecimal digits.

    >>> "hello" | bin2hex
    "68656c6c6f"
    """
    return utf8(value).hex()


@filter("conversion")
def hex2bin(value: str) -> str:
    """The text whose bytes hexadecimal digits spell.

    >>> "68656c6c6f" | hex2bin
    "hello"
    """
    if not _HEX.match(value):
        raise Refusal(f"expected pairs of hexadecimal digits, got {show(value)}")
    return text_from(bytes.fromhex(value))
