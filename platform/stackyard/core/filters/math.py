"""Filters that compute with numbers: arithmetic, rounding, what a list of numbers adds up to, bits."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from math import ceil as math_ceil
from math import floor as math_floor
from math import pow as math_pow
from typing import Any

from .. import types as t
from ..expressions import operations as op
from ..filter import Number, element_or_null, filter, same
from ..guards import Refusal
from .numbers import MOST_PLACES, real, rounded, total, whole


def _both(given: Sequence[t.Type]) -> t.Type:
    """A result of one of the two kinds: that of the piped value and the argument together."""
    return t.join(given[0], given[1]) if len(given) > 1 else t.NUMBER


def _sum_type(given: Sequence[t.Type]) -> t.Type:
    held = given[0].of if given else None
    return held.not_null() if held is not None and held.is_number else t.NUMBER


def _mean_type(given: Sequence[t.Type]) -> t.Type:
    held = _sum_type(given)
    return (t.DECIMAL if held.name == "decimal" else t.NUMBER).or_null()


@filter("math", result=_both)
def add(value: Number, other: Number) -> Number:
    """Two numbers added.

    >>> 2 | add(3)
    5
    """
    return op.add(value, other)  # type: ignore[no-any-return]


@filter("math", result=_both)
def subtract(value: Number, other: Number) -> Number:
    """The argument taken from the piped number.

    >>> 2 | subtract(3)
    -1
    """
    return op.subtract(value, other)  # type: ignore[no-any-return]


@filter("math", result=_both)
def multiply(value: Number, other: Number) -> Number:
    """Two numbers multiplied.

    >>> 2 | multiply(3)
    6
    """
    return op.multiply(value, other)  # type: ignore[no-any-return]


@filter("math")
def divide(value: Number, other: Number) -> Number:
    """The piped number divided by the argument, with its fraction.

    >>> 21 | divide(4)
    5.25
    """
    return op.divide(value, other)  # type: ignore[no-any-return]


@filter("math", result=_both)
def modulus(value: Number, other: Number) -> Number:
    """What is left over when the piped number is divided by the argument; it has the argument's sign.

    >>> 20 | modulus(3)
    2
    >>> (-20) | modulus(3)
    1
    """
    return op.remainder(value, other)  # type: ignore[no-any-return]


@filter("math", result=same)
def abs_(value: Number) -> Number:
    """The number without its sign.

    >>> (-10) | abs
    10
    """
    return op.number(-value if value < 0 else value)


@filter("math")
def ceil(value: Number) -> int:
    """The next whole number, upwards.

    >>> 2.1 | ceil
    3
    """
    if isinstance(value, Decimal):
        return _to_whole(value, ROUND_CEILING)
    return int(op.number(math_ceil(value)))


@filter("math")
def floor(value: Number) -> int:
    """The next whole number, downwards.

    >>> 2.9 | floor
    2
    """
    if isinstance(value, Decimal):
        return _to_whole(value, ROUND_FLOOR)
    return int(op.number(math_floor(value)))


def _to_whole(value: Decimal, rounding: str) -> int:
    return int(whole(value.to_integral_value(rounding=rounding)))


def _rounded_type(given: Sequence[t.Type]) -> t.Type:
    return t.INT if len(given) < 2 else given[0]


@filter("math", result=_rounded_type)
def round_(value: Number, places: int = 0) -> Number:
    """The number rounded to some places after the point, halves away from zero; to a whole number without them.

    >>> 2.5 | round
    3
    >>> 2.5432 | round(1)
    2.5
    >>> 1251 | round(-2)
    1300
    """
    result = rounded(value, places)
    if places <= 0:
        return whole(result)
    if isinstance(value, float):
        return float(result)
    return value if isinstance(value, int) else result


@filter("math")
def pow_(value: Number, exponent: Number) -> Number:
    """The number raised to a power.

    >>> 10 | pow(2)
    100
    >>> 2 | pow(0.5) | round(4)
    1.4142
    """
    if isinstance(value, int) and isinstance(exponent, int) and exponent >= 0:
        if value not in (-1, 0, 1) and exponent > 64:
            op.failed("The result is a whole number beyond 64 bits.")
        return op.number(value**exponent)
    if isinstance(value, Decimal) and isinstance(exponent, int | Decimal):
        with localcontext() as context:
            context.prec = 28
            return op.number(context.power(value, exponent))
    return real(math_pow, value, exponent)


@filter("math", result=_both)
def min_(value: Number, other: Number) -> Number:
    """The smaller of two numbers.

    >>> 1 | min(0)
    0
    """
    return other if op.less(other, value) else value


@filter("math", result=_both)
def max_(value: Number, other: Number) -> Number:
    """The larger of two numbers.

    >>> 5 | max(20)
    20
    """
    return other if op.greater(other, value) else value


@filter("math", result=_sum_type)
def sum_(value: list[Number]) -> Number:
    """All numbers of a list added; 0 for an empty list.

    >>> [1, 2, 3, 4] | sum
    10
    """
    return total(value)


@filter("math", result=_mean_type)
def avg(value: list[Number]) -> Number | None:
    """The average of a list of numbers; null for an empty list.

    >>> [1, 2, 3, 4] | avg
    2.5
    >>> [] | avg
    null
    """
    return op.divide(total(value), len(value)) if value else None


@filter("math", result=_sum_type)
def product(value: list[Number]) -> Number:
    """All numbers of a list multiplied; 1 for an empty list.

    >>> [1, 2, 3, 4] | product
    24
    """
    result: Number = 1
    for number in value:
        result = op.multiply(result, number)
    return result


def _extreme(values: list[Any], beats: Any) -> Any:
    best = None
    for position, value in enumerate(values):
        if position == 0 or beats(value, best):
            best = value
    return best


@filter("math", result=element_or_null)
def array_min(value: list[object]) -> object:
    """The smallest of a list of numbers, texts or timestamps; null for an empty list.

    >>> [3, 1, 2] | array_min
    1
    """
    return _extreme(value, op.less)


@filter("math", result=element_or_null)
def array_max(value: list[object]) -> object:
    """The largest of a list of numbers, texts or timestamps; null for an empty list.

    >>> [3, 1, 2] | array_max
    3
    """
    return _extreme(value, op.greater)


@filter("math")
def number_format(value: Number, places: int = 0, point: str = ".", separator: str = ",") -> str:
    """A number as people write it: places after the point, the point itself, what stands between thousands.

    >>> 31253212.141592 | number_format(2, ".", ",")
    "31,253,212.14"
    >>> 1234.5 | number_format(2, ",", ".")
    "1.234,50"
    """
    if places < 0 or places > MOST_PLACES:
        raise Refusal(f"expected 0 to {MOST_PLACES} places, got {places}")
    if len(point) > 10 or len(separator) > 10:
        raise Refusal("expected a point and a separator of at most 10 characters")
    result = rounded(value, places)
    if result.adjusted() > 400:
        raise Refusal(f"the number {result:.3E} is too large to be written out")
    written = f"{result + 0:,.{places}f}" if result else f"{0:.{places}f}"
    return written.replace(",", "\0").replace(".", point).replace("\0", separator)


@filter("math")
def bitwise_and(value: int, other: int) -> int:
    """The bits set in both whole numbers.

    >>> 7 | bitwise_and(3)
    3
    """
    return int(op.number(value & other))


@filter("math")
def bitwise_or(value: int, other: int) -> int:
    """The bits set in either whole number.

    >>> 7 | bitwise_or(9)
    15
    """
    return int(op.number(value | other))


@filter("math")
def bitwise_xor(value: int, other: int) -> int:
    """The bits set in one of the two whole numbers only.

    >>> 7 | bitwise_xor(9)
    14
    """
    return int(op.number(value ^ other))


@filter("math")
def bitwise_not(value: int) -> int:
    """The whole number with every bit turned over.

    >>> 8 | bitwise_not
    -9
    """
    return int(op.number(~value))
