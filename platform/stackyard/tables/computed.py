"""Computed fields: expressions over the fields of a record that the database works out (language.md, `computed`).

A closed part of the expression language, typed when the query is checked. What the operators mean: arithmetic is
exact (Decimal), halves are rounded away from zero, null goes through arithmetic and filters, a comparison with
null is false but for `==` and `!=`, `~` joins null as "". What can't be worked out (a division by zero, a number
past its type's bounds) is null, so that one record can't end a query.

One tree of `Term`s has two readings: `computed_sql` for PostgreSQL, `computed_values` for SQLite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from stackyard.core.errors import Faults, Path, did_you_mean
from stackyard.core.expressions import parse
from stackyard.core.expressions.tree import (
    Access,
    Binary,
    Choice,
    ExpressionError,
    ListOf,
    Literal,
    Name,
    Pipe,
    Tree,
    Unary,
)

from .definitions import FieldDef
from .field_type import FieldType, shown
from .time_parts import read_zone

MOST_TERMS = 60
DEEPEST = 20
MOST_SCALE = 8
"""Digits after the point of a decimal that is computed."""
QUOTIENT_SCALE = 6
KINDS: Mapping[str, str] = {
    "int": "int",
    "reference": "int",
    "decimal": "decimal",
    "float": "float",
    "text": "text",
    "email": "text",
    "enum": "text",
    "uuid": "text",
    "bool": "bool",
    "timestamp": "timestamp",
    "date": "date",
}
NUMBERS = frozenset({"int", "decimal", "float"})
_TIME_FILTERS = {
    "timestamp_year": "year_number",
    "timestamp_month": "month_of_year",
    "timestamp_day_of_month": "day_of_month",
    "timestamp_hour": "hour_of_day",
    "timestamp_minute": "minute_of_hour",
    "timestamp_day_of_week": "day_of_week",
}
_NUMBER_FILTERS = ("abs", "floor", "ceil", "round")
_TEXT_FILTERS = ("to_lower", "to_upper", "strlen", "substr")
FILTERS = (*_NUMBER_FILTERS, *_TEXT_FILTERS, *_TIME_FILTERS)


@dataclass(frozen=True, slots=True)
class Term:
    """A part of an expression with the kind of its value; `value` is a field, a constant, or what a filter takes."""

    op: str
    kind: str
    scale: int = 0
    args: tuple[Term, ...] = ()
    value: Any = None

    @property
    def is_number(self) -> bool:
        """Whether arithmetic takes it (null has no kind of its own)."""
        return self.kind in NUMBERS or self.kind == "null"


@dataclass(frozen=True, eq=False)
class Computed:
    """A computed field: its name, the text, the tree, and the fields it reads in the order of their first use."""

    name: str
    source: str
    term: Term
    reads: tuple[FieldDef, ...]

    @cached_property
    def type(self) -> FieldType:
        """The type of its values."""
        kind = "text" if self.term.kind == "null" else self.term.kind
        options = {"precision": 18, "scale": min(self.term.scale, MOST_SCALE)} if kind == "decimal" else {}
        return FieldType.get(kind)(options)

    def field(self, number: int) -> FieldDef:
        """It as a field of the query; as private as the most private field it reads."""
        access = "public" if all(field.is_public for field in self.reads) else "private"
        return FieldDef(-2 - number, self.name, f"x{number}", self.type, access=access)


def read_computed(
    name: str, text: Any, known: Mapping[str, FieldDef], faults: Faults, path: Path
) -> Computed | None:
    """Parse and check one expression; None when it has faults."""
    if not isinstance(text, str):
        faults.error(path, "type", f"expected an expression as text, got {shown(text)}")
        return None
    try:
        tree = parse(text)
    except ExpressionError as error:
        faults.error(path, "syntax", error.message, column=error.column)
        return None
    reader = _Reader(known, faults, path)
    before = len(faults.found)
    term = reader.read(tree, 1)
    if reader.terms > MOST_TERMS:
        faults.error(path, "range", f"An expression has at most {MOST_TERMS} parts here.")
    if len(faults.found) > before:
        return None
    return Computed(name, text, term, tuple(reader.reads.values()))


_NOTHING = Term("const", "null")


class _Reader:
    """Types one tree; a fault gives a term of no kind, so that it is told once."""

    def __init__(self, known: Mapping[str, FieldDef], faults: Faults, path: Path) -> None:
        self.known = known
        self.faults = faults
        self.path = path
        self.terms = 0
        self.reads: dict[str, FieldDef] = {}

    def fault(self, code: str, message: str, at: int) -> Term:
        """Note a fault at a place of the text."""
        self.faults.error(self.path, code, message, column=at + 1)
        return _NOTHING

    def read(self, tree: Tree, depth: int) -> Term:
        """The term of a tree."""
        self.terms += 1
        if depth > DEEPEST:
            return self.fault("depth", f"An expression nests at most {DEEPEST} levels deep here.", 0)
        match tree:
            case Literal():
                return _constant(tree.value)
            case Name():
                return self._field(tree.name, tree.at)
            case Access(Name(name=alias), Literal(value=str() as name)):
                return self._field(f"{alias}.{name}", tree.at)
            case Unary(operator="-"):
                return self._negative(self.read(tree.operand, depth + 1), tree.at)
            case Unary():
                return Term("not", "bool", args=(self._condition(tree.operand, depth + 1),))
            case Binary():
                return self._binary(tree, depth + 1)
            case Choice():
                condition = self._condition(tree.condition, depth + 1)
                then, otherwise = self.read(tree.then, depth + 1), self.read(tree.otherwise, depth + 1)
                return self._either("choice", (condition,), then, otherwise, tree.at)
            case Pipe():
                return self._filter(tree, depth + 1)
            case _:
                return self.fault(
                    "unsupported", "A computed field has no lists, objects or lambdas.", tree.at
                )

    def _field(self, name: str, at: int) -> Term:
        found = self.known.get(name)
        if found is None:
            hint = did_you_mean(name, self.known)
            return self.fault("unknown_name", f'There is no field "{name}".{hint}', at)
        kind = KINDS.get(found.type.name)
        if kind is None:
            what = f"{name} is a {found.type.name}, which can't stand in a computed field."
            return self.fault("type", what, at)
        self.reads[name] = found
        return Term("field", kind, getattr(found.type, "scale", 0), value=found)

    def _negative(self, operand: Term, at: int) -> Term:
        if not operand.is_number:
            return self.fault("type", f'"-" works on numbers, not on {operand.kind}.', at)
        return Term("neg", operand.kind, operand.scale, (operand,))

    def _condition(self, tree: Tree, depth: int) -> Term:
        term = self.read(tree, depth)
        if term.kind not in ("bool", "null"):
            return self.fault("type", f"A condition is true or false, not {term.kind}.", tree.at)
        return term

    def _binary(self, tree: Binary, depth: int) -> Term:
        symbol = tree.operator
        if symbol in ("and", "or"):
            sides = (self._condition(tree.left, depth), self._condition(tree.right, depth))
            return Term(symbol, "bool", args=sides)
        if symbol == "in":
            return self._in(tree, depth)
        left, right = self.read(tree.left, depth), self.read(tree.right, depth)
        if symbol == "??":
            return self._either("??", (), left, right, tree.at)
        if symbol == "~":
            return self._joined(left, right, tree.at)
        if symbol in ("==", "!=", "<", "<=", ">", ">="):
            return self._compared(symbol, left, right, tree.at)
        if symbol == "-" and left.kind == right.kind == "timestamp":
            return Term("-", "int", args=(left, right))
        return self._arithmetic(symbol, left, right, tree.at)

    def _arithmetic(self, symbol: str, left: Term, right: Term, at: int) -> Term:
        if not left.is_number or not right.is_number:
            hint = ' Join texts with "~".' if "text" in (left.kind, right.kind) and symbol == "+" else ""
            return self.fault(
                "type", f'"{symbol}" works on numbers, not on {left.kind} and {right.kind}.{hint}', at
            )
        kinds = {left.kind, right.kind} - {"null"}
        kind = "float" if "float" in kinds else "decimal" if "decimal" in kinds else "int"
        scale = max(left.scale, right.scale)
        if symbol == "*":
            scale = left.scale + right.scale
        elif symbol == "/":
            scale = max(scale, QUOTIENT_SCALE)
            kind = "float" if kind == "int" else kind
        elif symbol == "%" and _holds(right, "%"):
            return self.fault("unsupported", 'The right side of "%" can\'t hold another "%" here.', at)
        return Term(symbol, kind, scale if kind == "decimal" else 0, (left, right))

    def _joined(self, left: Term, right: Term, at: int) -> Term:
        for side in (left, right):
            if side.kind not in ("text", "int", "date", "null"):
                message = f'"~" joins texts, whole numbers and days here, not {side.kind}.'
                return self.fault("type", message, at)
        return Term("~", "text", args=(left, right))

    def _compared(self, symbol: str, left: Term, right: Term, at: int) -> Term:
        if not _alike(left, right):
            message = f'"{symbol}" compares values of one kind, not {left.kind} with {right.kind}.'
            return self.fault("type", message, at)
        if symbol[0] in "<>" and "bool" in (left.kind, right.kind):
            return self.fault("type", f'"{symbol}" needs an order, which true and false have not.', at)
        return Term(symbol, "bool", args=(left, right))

    def _in(self, tree: Binary, depth: int) -> Term:
        if not isinstance(tree.right, ListOf) or not tree.right.items:
            return self.fault("unsupported", '"in" takes a list written out here: x in [1, 2].', tree.at)
        left = self.read(tree.left, depth)
        ways = [self._compared("==", left, self.read(item, depth), tree.at) for item in tree.right.items]
        self.terms += len(ways) * 2
        made = ways[0]
        for way in ways[1:]:
            made = Term("or", "bool", args=(made, way))
        return made

    def _either(self, op: str, before: tuple[Term, ...], left: Term, right: Term, at: int) -> Term:
        if not _alike(left, right):
            return self.fault(
                "type", f"Both sides must be of one kind, not {left.kind} and {right.kind}.", at
            )
        kinds = [term.kind for term in (left, right) if term.kind != "null"] or ["null"]
        kind = next((one for one in ("float", "decimal", "text") if one in kinds), kinds[0])
        return Term(op, kind, max(left.scale, right.scale), (*before, left, right))

    def _filter(self, tree: Pipe, depth: int) -> Term:
        value = self.read(tree.value, depth)
        given = [arg.value if isinstance(arg, Literal) else arg for arg in tree.arguments]
        name = tree.name
        if name in _NUMBER_FILTERS:
            return self._number_filter(name, value, given, tree.at)
        if name in _TEXT_FILTERS:
            return self._text_filter(name, value, given, tree.at)
        if name in _TIME_FILTERS:
            if value.kind not in ("timestamp", "null") or len(given) > 1:
                return self.fault("type", f"{name} takes a timestamp, not {value.kind}.", tree.at)
            zone = read_zone(given[0], self.faults, self.path) if given else "UTC"
            return Term("part", "int", args=(value,), value=(_TIME_FILTERS[name], zone))
        hint = did_you_mean(name, FILTERS) or f" There is: {', '.join(FILTERS)}."
        return self.fault("unknown_filter", f'A computed field has no filter "{name}".{hint}', tree.at)

    def _number_filter(self, name: str, value: Term, given: list[Any], at: int) -> Term:
        if not value.is_number:
            return self.fault("type", f"{name} takes a number, not {value.kind}.", at)
        if name == "abs" and not given:
            return Term("abs", value.kind, value.scale, (value,))
        if name == "round":
            places = given[0] if given else 0
            if len(given) > 1 or type(places) is not int or not 0 <= places <= 15:
                return self.fault("argument", "round takes a whole number of places, 0 to 15.", at)
            kind = value.kind if places or value.kind == "null" else "int"
            return Term("round", kind, min(value.scale, places), (value,), places)
        if given:
            return self.fault("argument", f"{name} takes no arguments.", at)
        return Term(name, "int", 0, (value,))

    def _text_filter(self, name: str, value: Term, given: list[Any], at: int) -> Term:
        if value.kind not in ("text", "null"):
            return self.fault("type", f"{name} takes a text, not {value.kind}.", at)
        if name != "substr":
            if given:
                return self.fault("argument", f"{name} takes no arguments.", at)
            return Term(name, "int" if name == "strlen" else "text", args=(value,))
        fits = all(type(one) is int and 0 <= one <= 1_000_000 for one in given)
        if not 1 <= len(given) <= 2 or not fits:
            return self.fault("argument", "substr takes where it begins, from 0, and how long it is.", at)
        return Term("substr", "text", args=(value,), value=tuple(given))


def _constant(value: Any) -> Term:
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return Term("const", "bool", value=value)
    if isinstance(value, int):
        return Term("const", "int", value=Decimal(value))
    if isinstance(value, float):
        # A number with a point is taken as it is written, exactly.
        number = Decimal(repr(value))
        return Term("const", "decimal", max(-int(number.as_tuple().exponent), 0), value=number)
    return Term("const", "text", value=value)


def _alike(left: Term, right: Term) -> bool:
    if "null" in (left.kind, right.kind) or left.kind == right.kind:
        return True
    # A day is written as a text.
    return (left.is_number and right.is_number) or {left.kind, right.kind} == {"date", "text"}


def _holds(term: Term, op: str) -> bool:
    return term.op == op or any(_holds(arg, op) for arg in term.args)
