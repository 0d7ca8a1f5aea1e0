"""What a computed field must be, worked out with fractions: nothing in it is rounded but the end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any

from stackyard.core.expressions import parse
from stackyard.core.expressions.tree import Binary, Choice, Literal, Name, Pipe
from stackyard.core.types import Type

_WIDE = Context(prec=3_000, rounding=ROUND_HALF_UP, Emax=900_000, Emin=-900_000)


def worked_out(source: str, record: Mapping[str, Any], of: Type) -> Any:
    """The value that `x` must have in a record of a query of type `of`."""
    value = _value(parse(source), record)
    kind = of.of.fields["x"].name  # type: ignore[union-attr, index]
    if value is None or isinstance(value, bool):
        return value
    if kind == "int":
        return int(value) if -(2**63) <= value < 2**63 else None
    if kind == "float":
        return _double(value)
    scale = _scale_of(source, record)
    rounded = Fraction(_half_up(value * 10**scale), 10**scale)
    return _decimal(rounded) if abs(rounded) < 10 ** (18 - scale) else None


def _half_up(value: Fraction) -> int:
    whole = math.floor(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


def _double(value: Fraction) -> float | None:
    if abs(value) < Fraction(Decimal("1e-307")):
        return 0.0
    return float(value) if abs(value) <= Fraction(Decimal("1.797e308")) else None


def _decimal(value: Fraction) -> Decimal:
    return _WIDE.divide(Decimal(value.numerator), Decimal(value.denominator))


def _scale_of(source: str, record: Mapping[str, Any]) -> int:
    return min(_scale(parse(source)), 8)


def _scale(tree: Any) -> int:
    match tree:
        case Literal(value=float() as value):
            return -int(Decimal(repr(value)).as_tuple().exponent)
        case Name(name="total"):
            return 2
        case Binary(operator="*"):
            return _scale(tree.left) + _scale(tree.right)
        case Binary(operator="/"):
            return max(_scale(tree.left), _scale(tree.right), 6) if _is_decimal(tree) else 0
        case Binary():
            return max(_scale(tree.left), _scale(tree.right))
        case Choice():
            return max(_scale(tree.then), _scale(tree.otherwise))
        case Pipe(name="round"):
            return min(_scale(tree.value), 2)
        case Pipe(name="abs"):
            return _scale(tree.value)
        case _:
            return 0


def _is_decimal(tree: Any) -> bool:
    return _scale(tree.left) > 0 or _scale(tree.right) > 0


def _value(tree: Any, record: Mapping[str, Any]) -> Any:
    match tree:
        case Literal(value=None):
            return None
        case Literal():
            return Fraction(Decimal(repr(tree.value)))
        case Name():
            held = record[tree.name]
            return held if held is None or isinstance(held, str) else Fraction(Decimal(str(held)))
        case Choice():
            return _value(tree.then if _value(tree.condition, record) else tree.otherwise, record)
        case Pipe():
            value = _value(tree.value, record)
            return None if value is None else _FILTERS[tree.name](value)
    left, right = _value(tree.left, record), _value(tree.right, record)
    if tree.operator == "??":
        return right if left is None else left
    if tree.operator == "==":
        return left == right
    if left is None or right is None:
        return False if tree.operator in ("<", ">=") else None
    if tree.operator == "/" and right:
        # Quotients have 40 places on the way.
        return Fraction(_half_up(left / right * 10**40), 10**40)
    if tree.operator in "/%" and not right:
        return None
    return _OPERATORS[tree.operator](left, right)


_FILTERS = {
    "abs": abs,
    "floor": lambda value: Fraction(math.floor(value)),
    "ceil": lambda value: Fraction(math.ceil(value)),
    "round": lambda value: Fraction(_half_up(value * 100), 100),
    "strlen": lambda value: Fraction(len(value)),
}
_OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "%": lambda a, b: a % b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
}
