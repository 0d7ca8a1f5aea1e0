"""Filters for roots, powers of e, logarithms and the functions of angles; their results are floats."""

from __future__ import annotations

import math

from ..filter import Number, filter
from ..guards import Refusal, show
from .numbers import real


@filter("math")
def log(value: Number, base: Number) -> float:
    """The logarithm to a base of your own.

    >>> 8 | log(2)
    3
    """
    if base <= 0 or base == 1:
        raise Refusal(f"expected a base above 0 that is not 1, got {show(base)}")
    if base in (2, 10):
        return real(math.log2 if base == 2 else math.log10, value)
    return real(math.log, value, base)


@filter("math")
def sqrt(value: Number) -> float:
    """The square root.

    >>> 9 | sqrt
    3
    """
    return real(math.sqrt, value)


@filter("math")
def exp(value: Number) -> float:
    """The number e raised to a power.

    >>> 0 | exp
    1
    """
    return real(math.exp, value)


@filter("math")
def log10(value: Number) -> float:
    """The logarithm to base 10.

    >>> 100 | log10
    2
    """
    return real(math.log10, value)


@filter("math")
def ln(value: Number) -> float:
    """The natural logarithm.

    >>> 10 | ln | round(5)
    2.30259
    """
    return real(math.log, value)


@filter("math")
def sin(value: Number) -> float:
    """The sine of an angle in radians.

    >>> 0 | sin
    0
    """
    return real(math.sin, value)


@filter("math")
def cos(value: Number) -> float:
    """The cosine of an angle in radians.

    >>> 0 | cos
    1
    """
    return real(math.cos, value)


@filter("math")
def tan(value: Number) -> float:
    """The tangent of an angle in radians.

    >>> 0.785398 | tan | round(3)
    1
    """
    return real(math.tan, value)


@filter("math")
def asin(value: Number) -> float:
    """The angle in radians that has this sine.

    >>> 1 | asin | round(5)
    1.5708
    """
    return real(math.asin, value)


@filter("math")
def acos(value: Number) -> float:
    """The angle in radians that has this cosine.

    >>> 1 | acos
    0
    """
    return real(math.acos, value)


@filter("math")
def atan(value: Number) -> float:
    """The angle in radians that has this tangent.

    >>> 1 | atan | round(5)
    0.7854
    """
    return real(math.atan, value)


@filter("math")
def sinh(value: Number) -> float:
    """The hyperbolic sine.

    >>> 0 | sinh
    0
    """
    return real(math.sinh, value)


@filter("math")
def cosh(value: Number) -> float:
    """The hyperbolic cosine.

    >>> 0 | cosh
    1
    """
    return real(math.cosh, value)


@filter("math")
def tanh(value: Number) -> float:
    """The hyperbolic tangent.

    >>> 0 | tanh
    0
    """
    return real(math.tanh, value)


@filter("math")
def asinh(value: Number) -> float:
    """The number that has this hyperbolic sine.

    >>> 1 | asinh | round(5)
    0.88137
    """
    return real(math.asinh, value)


@filter("math")
def acosh(value: Number) -> float:
    """The number that has this hyperbolic cosine.

    >>> 1 | acosh
    0
    """
    return real(math.acosh, value)


@filter("math")
def atanh(value: Number) -> float:
    """The number that has this hyperbolic tangent.

    >>> 0 | atanh
    0
    """
    return real(math.atanh, value)


@filter("math")
def deg2rad(value: Number) -> float:
    """Degrees as radians.

    >>> 180 | deg2rad | round(4)
    3.1416
    """
    return real(math.radians, value)


@filter("math")
def rad2deg(value: Number) -> float:
    """Radians as degrees.

    >>> 3.14159265358979 | rad2deg | round(6)
    180
    """
    return real(math.degrees, value)
