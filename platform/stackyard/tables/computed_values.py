"""Computed fields in Python: what SQLite calls for each record, through `stackyard_compute`.

The text that names the function holds the expression and the types of the fields it reads, so that a statement
needs nothing but itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, Overflow
from functools import lru_cache
from typing import Any

from stackyard.core.errors import Faults

from .computed import MOST_SCALE, Term, read_computed
from .definitions import FieldDef
from .field_type import FieldType, make_type
from .time_parts import part_of

QUOTIENT_PLACES = 40
"""Places of a quotient before it is brought to its type."""
INT_BOUNDS = (-(2**63), 2**63 - 1)
LEAST_FLOAT = Decimal("1e-307")
MOST_FLOAT = Decimal("1.797e308")
# Wide enough that nothing is ever rounded: 60 parts of numbers of at most 633 digits.
_EXACT = Context(prec=40_000, Emax=900_000, Emin=-900_000, traps=[Overflow])
_HALF_UP = Context(prec=40_000, rounding=ROUND_HALF_UP, Emax=900_000, Emin=-900_000)

Row = tuple[Any, ...]
Get = Callable[[Row], Any]


def result_scale(term: Term) -> int:
    """Digits after the point of a decimal result."""
    return min(term.scale, MOST_SCALE)


def compute(spec: str, *row: Any) -> Any:
    """The value of a computed field as SQLite keeps it; `row` holds the columns it reads."""
    get, end = _function(spec)
    try:
        value = get(row)
        return None if value is None else end(value)
    except ArithmeticError:
        return None


@lru_cache(maxsize=512)
def _function(spec: str) -> tuple[Get, Callable[[Any], Any]]:
    source, reads = json.loads(spec)
    fields = [FieldDef(1 + n, name, name, _type(kind, scale)) for n, (name, kind, scale) in enumerate(reads)]
    faults = Faults()
    computed = read_computed("computed", source, {f.name: f for f in fields}, faults, ())
    faults.raise_errors()
    assert computed is not None
    places = {f.name: n for n, f in enumerate(fields)}
    return _get(computed.term, places), _end(computed.term)


def _type(kind: str, scale: int) -> FieldType:
    if kind == "decimal":
        return make_type({"type": "decimal", "precision": 18, "scale": scale})
    if kind in ("enum", "email", "uuid"):
        return make_type("text")
    return make_type("int" if kind == "reference" else kind)


def _end(term: Term) -> Callable[[Any], Any]:
    """From a value to what the column would hold, or None where it does not fit."""
    match term.kind:
        case "int" | "timestamp":
            return _end_int
        case "decimal":
            scale = result_scale(term)
            return lambda value: _end_decimal(value, scale)
        case "float":
            return _end_float
        case "bool":
            return int
        case _:
            return lambda value: value


def _end_int(value: Decimal) -> int | None:
    return int(value) if INT_BOUNDS[0] <= value <= INT_BOUNDS[1] else None


def _end_decimal(value: Decimal, scale: int) -> int | None:
    rounded = int(_HALF_UP.to_integral_value(value.scaleb(scale, context=_EXACT)))
    return rounded if abs(rounded) < 10**18 else None


def _end_float(value: Decimal) -> float | None:
    size = abs(value)
    if size < LEAST_FLOAT:
        return 0.0
    return float(value) if size <= MOST_FLOAT else None


def _get(term: Term, places: Mapping[str, int]) -> Get:
    """The function of a term, made once."""
    if term.op == "field":
        return _field(term, places[term.value.name])
    if term.op == "const":
        constant = term.value
        return lambda row: constant
    args = [_get(arg, places) for arg in term.args]
    if term.op in _STRICT:
        return _strict(_STRICT[term.op], args)
    if term.op in _ORDER:
        return _ordered(_ORDER[term.op], *args)
    match term.op:
        case "round" | "substr" | "part":
            deed, value = _WITH[term.op], term.value
            return _strict(lambda given: deed(given, value), args)
        case _:
            return _LOGIC[term.op](*args)


def _field(term: Term, place: int) -> Get:
    match term.kind:
        case "int" | "timestamp":
            return lambda row: None if row[place] is None else Decimal(row[place])
        case "decimal":
            scale = term.scale
            return lambda row: None if row[place] is None else Decimal(row[place]).scaleb(-scale)
        case "float":
            return lambda row: None if row[place] is None else Decimal(repr(row[place]))
        case "bool":
            return lambda row: None if row[place] is None else bool(row[place])
        case _:
            return lambda row: row[place]


def _strict(deed: Callable[..., Any], args: list[Get]) -> Get:
    """A function of values that are all there; null when one is not."""
    if len(args) == 1:
        (only,) = args
        return lambda row: None if (value := only(row)) is None else deed(value)
    left, right = args

    def both(row: Row) -> Any:
        a, b = left(row), right(row)
        return None if a is None or b is None else deed(a, b)

    return both


def _ordered(compare: Callable[[Any, Any], bool], left: Get, right: Get) -> Get:
    def ordered(row: Row) -> bool:
        a, b = left(row), right(row)
        return a is not None and b is not None and compare(a, b)

    return ordered


def _quotient(left: Decimal, right: Decimal) -> Decimal | None:
    if not right:
        return None
    digits = max(left.adjusted() - right.adjusted(), 0) + QUOTIENT_PLACES + 25
    quotient = Context(prec=digits, rounding=ROUND_HALF_UP, Emax=900_000, Emin=-900_000).divide(left, right)
    return quotient.quantize(Decimal(1).scaleb(-QUOTIENT_PLACES), context=_HALF_UP)


def _remainder(left: Decimal, right: Decimal) -> Decimal | None:
    if not right:
        return None
    result = _EXACT.remainder(left, right)
    return _EXACT.add(result, right) if result and (result < 0) != (right < 0) else result


def _round(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), context=_HALF_UP)


def _substr(value: str, part: tuple[int, ...]) -> str:
    return value[part[0] :] if len(part) == 1 else value[part[0] : part[0] + part[1]]


def _part(value: Decimal, part: tuple[str, str]) -> Decimal | None:
    found = part_of(int(value), *part)
    return None if found is None else Decimal(found)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, Decimal) else str(value)


_STRICT: Mapping[str, Callable[..., Any]] = {
    "+": _EXACT.add,
    "-": _EXACT.subtract,
    "*": _EXACT.multiply,
    "/": _quotient,
    "%": _remainder,
    "neg": _EXACT.minus,
    "abs": _EXACT.abs,
    "floor": lambda value: value.to_integral_value(rounding=ROUND_FLOOR),
    "ceil": lambda value: value.to_integral_value(rounding=ROUND_CEILING),
    "to_lower": str.lower,
    "to_upper": str.upper,
    "strlen": lambda value: Decimal(len(value)),
}
_WITH: Mapping[str, Callable[[Any, Any], Any]] = {"round": _round, "substr": _substr, "part": _part}
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_LOGIC: Mapping[str, Callable[..., Get]] = {
    "~": lambda a, b: lambda row: _text(a(row)) + _text(b(row)),
    "==": lambda a, b: lambda row: a(row) == b(row),
    "!=": lambda a, b: lambda row: a(row) != b(row),
    "and": lambda a, b: lambda row: bool(a(row)) and bool(b(row)),
    "or": lambda a, b: lambda row: bool(a(row)) or bool(b(row)),
    "not": lambda a: lambda row: not a(row),
    "??": lambda a, b: lambda row: b(row) if (value := a(row)) is None else value,
    "choice": lambda condition, then, otherwise: lambda row: then(row) if condition(row) else otherwise(row),
}
