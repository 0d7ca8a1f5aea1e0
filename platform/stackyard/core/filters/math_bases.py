"""Filters that write whole numbers to another base and read them back: binary, octal, hexadecimal, any from 2 to 36."""

from __future__ import annotations

from ..expressions import operations as op
from ..filter import filter
from ..guards import Refusal, show

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LONGEST = 64


def _read(text: str, base: int) -> int:
    """The whole number that digits spell; Python's own reader would take blanks, signs and underscores too."""
    digits = text.lower()
    if not digits or len(digits) > _LONGEST or not set(digits) <= set(_DIGITS[:base]):
        raise Refusal(f"expected digits of base {base}, got {show(text)}")
    return int(op.number(int(digits, base)))


def _write(number: int, base: int) -> str:
    if number < 0:
        raise Refusal(f"expected a number of at least 0, got {number}")
    digits = ""
    op.number(number)
    while number:
        number, digit = divmod(number, base)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def _base(base: int) -> int:
    if not 2 <= base <= len(_DIGITS):
        raise Refusal(f"expected a base from 2 to 36, got {base}")
    return base


@filter("math")
def base_convert(value: str | int, from_base: int, to_base: int) -> str:
    """Digits of one base written in another, from 2 to 36.

    >>> "ff" | base_convert(16, 10)
    "255"
    """
    return _write(
        _read(str(op.number(value)) if isinstance(value, int) else value, _base(from_base)), _base(to_base)
    )


@filter("math")
def dechex(value: int) -> str:
    """A whole number in hexadecimal digits.

    >>> 255 | dechex
    "ff"
    """
    return _write(value, 16)


@filter("math")
def hexdec(value: str) -> int:
    """The whole number that hexadecimal digits spell.

    >>> "ff" | hexdec
    255
    """
    return _read(value, 16)


@filter("math")
def decbin(value: int) -> str:
    """A whole number in binary digits.

    >>> 10 | decbin
    "1010"
    """
    return _write(value, 2)


@filter("math")
def bindec(value: str) -> int:
    """The whole number that binary digits spell.

    >>> "1010" | bindec
    10
    """
    return _read(value, 2)


@filter("math")
def decoct(value: int) -> str:
    """A whole number in octal digits.

    >>> 10 | decoct
    "12"
    """
    return _write(value, 8)


@filter("math")
def octdec(value: str) -> int:
    """The whole number that octal digits spell.

    >>> "12" | octdec
    10
    """
    return _read(value, 8)
