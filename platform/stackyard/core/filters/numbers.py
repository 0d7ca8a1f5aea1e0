"""Numbers for the filters that compute: how kinds mix, and how decimals stay exact.

The rule of the operators holds for every filter: a whole number with a decimal gives a decimal, a decimal
with a float gives a float, a whole number stays within 64 bits, and nothing is infinite or not a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

from ..expressions import operations as op
from ..filter import Number
from ..guards import Refusal, show

MOST_PLACES = 30
_DIGITS = 60
_ROUNDING = Context(prec=400, rounding=ROUND_HALF_UP)


def as_float(value: Number) -> float:
    """A number as a float; Problem when it is too large for one."""
    return float(op.number(float(value)))


def as_written(value: Number) -> Decimal:
    """A number as the decimal it is written as: the float 0.1 is 0.1, not the binary fraction next to it."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def rounded(value: Number, places: int) -> Decimal:
    """A number rounded half away from zero, as people do: 2.5 is 3, -2.5 is -3, 1.005 with 2 places is 1.01."""
    if not -MOST_PLACES <= places <= MOST_PLACES:
        raise Refusal(f"expected at most {MOST_PLACES} places, got {places}")
    exact = as_written(value)
    exponent = exact.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -places:
        return exact
    return exact.quantize(Decimal(1).scaleb(-places), context=_ROUNDING)


def whole(value: Decimal) -> Number:
    """A decimal without fraction as a whole number; Problem beyond 64 bits."""
    if value.adjusted() > _DIGITS:
        op.failed("The result is a whole number beyond 64 bits.")
    return op.number(int(value))


def total(values: Sequence[Number]) -> Number:
    """The sum: exact for whole numbers and decimals, correctly rounded once for floats (`math.fsum`)."""
    kinds = set(map(type, values))
    if float in kinds:
        return op.number(math.fsum(map(as_float, values)))
    if Decimal in kinds:
        with localcontext() as context:
            context.prec = _DIGITS
            return op.number(sum(values, Decimal(0)))
    return op.number(sum(values))


def real(function: Callable[..., float], *values: Number) -> float:
    """A function of the real numbers; a Refusal where it has no value."""
    try:
        return float(op.number(function(*map(as_float, values))))
    except ValueError:
        raise Refusal(f"has no value for {' and '.join(map(show, values))}") from None
