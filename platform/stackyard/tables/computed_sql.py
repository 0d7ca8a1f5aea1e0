"""Computed fields in SQL: PostgreSQL's own arithmetic, and on SQLite one call into `computed_values` a record.

All numbers are `numeric` on the way, doubles by the digits they are written with, so that the result is that of
Python's Decimal. Only the end brings it to its type, and to null where it does not fit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from .computed import Computed, Term
from .computed_values import INT_BOUNDS, LEAST_FLOAT, MOST_FLOAT, QUOTIENT_PLACES, result_scale
from .definitions import FieldDef
from .time_parts import part_sql

Element = Any
_LONG = f"0.{'0' * (QUOTIENT_PLACES + 20)}"
"""Zero with so many places that a quotient of it has enough of them."""


def computed_sql(
    computed: Computed, column: Callable[[FieldDef], Element], dialect: str, folding: str
) -> Element:
    """The expression of a computed field over the columns it reads."""
    if dialect == "sqlite":
        columns = [column(field) for field in computed.reads]
        made = sa.func.stackyard_compute(sa.literal(_spelt(computed)), *columns)
        return sa.type_coerce(made, _SQLITE_TYPES.get(computed.term.kind, sa.BigInteger()))
    return _ended(_Sql(column, folding).of(computed.term), computed.term)


_SQLITE_TYPES: Mapping[str, Any] = {
    "float": sa.Double(),
    "text": sa.Text(),
    "null": sa.Text(),
    "date": sa.Text(),
}


def _spelt(computed: Computed) -> str:
    """All that `computed_values` needs to make the function again."""
    reads = [[f.name, f.type.name, getattr(f.type, "scale", 0)] for f in computed.reads]
    return json.dumps([computed.source, reads], ensure_ascii=False)


def _number(value: Any) -> Element:
    return sa.literal(value, sa.Numeric())


def _ended(made: Element, term: Term) -> Element:
    """The result in its type, or null where it does not fit."""
    match term.kind:
        case "int":
            least, most = INT_BOUNDS
            fits = made.between(_number(least), _number(most))
            return sa.case((fits, sa.cast(made, sa.BigInteger())))
        case "decimal":
            scale = result_scale(term)
            rounded = sa.func.round(made, sa.literal_column(str(scale)))
            fits = sa.func.abs(rounded) < _number(10 ** (18 - scale))
            return sa.case((fits, sa.cast(rounded, sa.Numeric(18, scale))))
        case "float":
            size = sa.func.abs(made)
            nothing: Any = (size < _number(LEAST_FLOAT), sa.cast(sa.literal_column("0"), sa.Double()))
            return sa.case(nothing, (size <= _number(MOST_FLOAT), sa.cast(made, sa.Double())))
        case "timestamp":
            return sa.cast(made, sa.BigInteger())
        case "date":
            return sa.cast(made, sa.Date())
        case "bool":
            return made
        case _:
            return sa.cast(made, sa.Text()).collate("C")


class _Sql:
    """Terms as PostgreSQL's expressions; functions instead of operators, so that no precedence is at stake."""

    def __init__(self, column: Callable[[FieldDef], Element], folding: str) -> None:
        self.column = column
        self.folding = folding

    def of(self, term: Term) -> Element:
        """The expression of a term."""
        if term.op == "field":
            return self._field(term)
        if term.op == "const":
            return self._constant(term)
        args = [self.of(arg) for arg in term.args]
        if term.op in _NUMERIC:
            return _NUMERIC[term.op](*args)
        match term.op:
            case "round":
                return sa.func.round(_as_number(args[0]), sa.literal_column(str(term.value)))
            case "to_lower" | "to_upper":
                change = sa.func.lower if term.op == "to_lower" else sa.func.upper
                return change(sa.cast(args[0], sa.Text()).collate(self.folding)).collate("C")
            case "strlen":
                return sa.cast(sa.func.char_length(args[0]), sa.Numeric())
            case "substr":
                places = [sa.literal_column(str(term.value[0] + 1)), *map(_plain, term.value[1:])]
                return sa.func.substr(sa.cast(args[0], sa.Text()), *places, type_=sa.Text()).collate("C")
            case "part":
                part, zone = term.value
                moment = sa.cast(args[0], sa.BigInteger())
                made = part_sql(moment, _TIMESTAMP, part, zone, "postgresql")
                return sa.cast(made, sa.Numeric())
            case _:
                return _LOGIC[term.op](*args)

    def _field(self, term: Term) -> Element:
        column = self.column(term.value)
        match term.kind:
            case "int" | "timestamp":
                return sa.cast(column, sa.Numeric())
            case "float":
                return sa.cast(sa.cast(column, sa.Text()), sa.Numeric())
            case "date":
                return sa.func.to_char(column, sa.literal_column("'YYYY-MM-DD'"), type_=sa.Text()).collate(
                    "C"
                )
            case "text" if term.value.type.name == "uuid":
                return sa.cast(column, sa.Text()).collate("C")
            case _:
                return column

    @staticmethod
    def _constant(term: Term) -> Element:
        if term.value is None:
            return sa.null()
        if term.kind == "text":
            return sa.literal(term.value, sa.Text()).collate("C")
        return sa.literal(term.value, sa.Boolean()) if term.kind == "bool" else _number(term.value)


class _Moment:
    name = "timestamp"


_TIMESTAMP: Any = _Moment()


def _plain(value: int) -> Element:
    return sa.literal_column(str(value))


def _as_number(made: Element) -> Element:
    return sa.cast(made, sa.Numeric())


def _quotient(left: Element, right: Element) -> Element:
    long = sa.func.numeric_add(left, sa.literal_column(_LONG))
    quotient = sa.func.numeric_div(long, sa.func.nullif(right, sa.literal_column("0")))
    return sa.func.round(quotient, sa.literal_column(str(QUOTIENT_PLACES)))


def _remainder(left: Element, right: Element) -> Element:
    right = sa.func.nullif(_as_number(right), sa.literal_column("0"))
    return sa.func.mod(sa.func.numeric_add(sa.func.mod(_as_number(left), right), right), right)


def _true(made: Element) -> Element:
    return sa.func.coalesce(made, sa.false())


def _joined(left: Element, right: Element) -> Element:
    parts = [sa.func.coalesce(sa.cast(side, sa.Text()), sa.literal_column("''")) for side in (left, right)]
    return sa.func.textcat(*parts, type_=sa.Text()).collate("C")


_NUMERIC: Mapping[str, Callable[..., Element]] = {
    "+": lambda a, b: sa.func.numeric_add(a, b, type_=sa.Numeric()),
    "-": lambda a, b: sa.func.numeric_sub(a, b, type_=sa.Numeric()),
    "*": lambda a, b: sa.func.numeric_mul(a, b, type_=sa.Numeric()),
    "/": _quotient,
    "%": _remainder,
    "neg": lambda a: sa.func.numeric_uminus(a, type_=sa.Numeric()),
    "abs": lambda a: sa.func.abs(_as_number(a)),
    "floor": lambda a: sa.func.floor(_as_number(a)),
    "ceil": lambda a: sa.func.ceil(_as_number(a)),
}
_LOGIC: Mapping[str, Callable[..., Element]] = {
    "~": _joined,
    "==": lambda a, b: a.is_not_distinct_from(b),
    "!=": lambda a, b: a.is_distinct_from(b),
    "<": lambda a, b: _true(a < b),
    "<=": lambda a, b: _true(a <= b),
    ">": lambda a, b: _true(a > b),
    ">=": lambda a, b: _true(a >= b),
    "and": lambda a, b: sa.and_(_true(a), _true(b)),
    "or": lambda a, b: sa.or_(_true(a), _true(b)),
    "not": lambda a: sa.not_(_true(a)),
    "??": lambda a, b: sa.func.coalesce(a, b),
    "choice": lambda condition, then, otherwise: sa.case((_true(condition), then), else_=otherwise),
}
