"""What an unquoted scalar means: the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema)."""

from __future__ import annotations

import re
from typing import Any

_INT_BITS = 64

_NULL = re.compile(r"(?:|~|null|Null|NULL)\Z")
_TRUE = re.compile(r"(?:true|True|TRUE)\Z")
_FALSE = re.compile(r"(?:false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9]+\Z")
_OTHER_INT = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")


def plain_value(text: str) -> Any:
    """The value of an unquoted scalar; ValueError for a number that JSON does not have."""
    if _NULL.match(text):
        return None
    if _TRUE.match(text):
        return True
    if _FALSE.match(text):
        return False
    if _INT.match(text) or _OTHER_INT.match(text):
        return _whole_number(text)
    if _FLOAT.match(text):
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise ValueError(f"the number {text[:40]} is too large: put it in quotes, or write a smaller one")
        return number
    if _NOT_FINITE.match(text):
        raise ValueError(f"{text} is not a number that JSON has: put it in quotes when it is text")
    return text


def _whole_number(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    digits = text[2:] if base != 10 else text
    number = int(digits, base) if len(digits) <= _INT_BITS + 2 else 1 << _INT_BITS
    if not -(1 << (_INT_BITS - 1)) <= number < 1 << (_INT_BITS - 1):
        raise ValueError("whole numbers have at most 64 bits: put longer ones in quotes")
    return number
