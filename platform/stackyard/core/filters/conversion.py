"""Filters that turn a value into one of another kind."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from ..filter import Budget, Number, filter
from ..guards import Refusal, show
from ..jsonout import milliseconds
from .numbers import as_written, whole
from .values import written

_NUMBER = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?)")
_WORDS = {"true": True, "yes": True, "on": True, "1": True}
_WORDS |= {"false": False, "no": False, "off": False, "0": False, "": False}
_MOST_DIGITS = 60
_LARGEST_EXPONENT = 400


@filter("conversion")
def to_text(budget: Budget, value: object) -> str:
    """Any value as text: null is "", timestamps are ISO 8601, lists and objects are JSON.

    >>> 1.344 | to_text
    "1.344"
    >>> true | to_text
    "true"
    """
    text = written(budget, value)
    budget.room(len(text))
    return text


@filter("conversion")
def to_int(value: Number | str | bool | datetime) -> int:
    """A whole number: fractions are cut off, a text counts as the number it begins with, a timestamp as milliseconds.

    >>> "133.45 kg" | to_int
    133
    >>> true | to_int
    1
    """
    if isinstance(value, datetime):
        return milliseconds(value)
    return int(whole(_number(value).to_integral_value(rounding=ROUND_DOWN)))


@filter("conversion")
def to_decimal(value: Number | str | bool) -> Decimal:
    """An exact decimal number: a text counts as the number it begins with, a float as it is written.

    >>> "12.5 kg" | to_decimal
    12.5
    """
    return _number(value)


def _number(value: Number | str | bool) -> Decimal:
    if isinstance(value, str):
        match = _NUMBER.match(value)
        if match is None:
            raise Refusal(f"expected text that begins with a number, got {show(value)}")
        if len(match[1]) > _MOST_DIGITS:
            raise Refusal(f"a number has at most {_MOST_DIGITS} digits")
        number = Decimal(match[1])
    else:
        number = as_written(value)
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise Refusal(f"the number {show(value)} is too large or too small")
    return number


@filter("conversion")
def to_bool(value: Number | str | bool) -> bool:
    """True or false: 0 is false, other numbers are true; "true", "yes", "on", "1" and their opposites, "" is false.

    >>> "true" | to_bool
    true
    >>> 0 | to_bool
    false
    """
    if not isinstance(value, str):
        return value != 0
    answer = _WORDS.get(value.strip().lower())
    if answer is None:
        raise Refusal(f'expected "true" or "false", got {show(value)}')
    return answer
