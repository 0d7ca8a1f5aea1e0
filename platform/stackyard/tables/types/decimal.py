"""Exact numbers with a fixed count of digits after the point."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any

from stackyard.core.errors import Faults, Path
from stackyard.core.types import DECIMAL, Type
from stackyard.tables.field_type import ORDER, Convert, FieldType, Option, refuse, unexpected
from stackyard.tables.types.int import check_range, range_schema

# Wide enough that no step on a value of 18 digits is ever rounded.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


def read_decimal(value: Any) -> Decimal:
    """A finite Decimal from a number or a text such as `"12.50"`; floats by their shortest form."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise unexpected("a number", value)
    if isinstance(value, str) and (len(value) > 60 or not value.isascii() or "_" in value):
        raise unexpected("a number", value)
    try:
        number = (
            value
            if isinstance(value, Decimal)
            else Decimal(repr(value) if isinstance(value, float) else value)
        )
    except InvalidOperation:
        raise unexpected("a number", value) from None
    if not number.is_finite():
        raise unexpected("a number", value)
    return number


class DecimalType(FieldType):
    """An exact number such as an amount of money: `precision` digits in all, `scale` of them after the point."""

    name = "decimal"
    label = "Decimal"
    group = "numbers"
    icon = "coins"
    option_spec = {
        "precision": Option("int", "Digits in all.", default=18, least=1, most=18, fixed=True),
        "scale": Option("int", "Digits after the point.", default=2, least=0, most=18, fixed=True),
        "min": Option("number", "The least value."),
        "max": Option("number", "The greatest value."),
    }
    operators = ORDER
    plain_in_json = False
    examples = ((12.5, Decimal("12.50")), ("0.10", Decimal("0.10")))

    @classmethod
    def check_options(cls, options: Mapping[str, Any], faults: Faults, path: Path) -> None:
        """The scale is part of the precision."""
        super().check_options(options, faults, path)
        if options["scale"] > options["precision"]:
            faults.error((*path, "scale"), "range", "scale is above precision")

    def configure(self) -> None:
        """Work out the last place and the first value that is too large."""
        self.scale: int = self.options["scale"]
        self._place = Decimal(1).scaleb(-self.scale)
        self._limit = Decimal(1).scaleb(self.options["precision"] - self.scale)
        # Not -0, which the slow way makes 0.
        wholes = self.options["precision"] - self.scale
        whole = rf"(?:-?[1-9]\d{{0,{wholes - 1}}}|0)" if wholes else "0"
        places = rf"(?:\.\d{{1,{self.scale}}})?" if self.scale else ""
        self._plain_cell = re.compile(rf"{whole}{places}", re.ASCII).fullmatch
        self._min = None if self.options["min"] is None else read_decimal(self.options["min"])
        self._max = None if self.options["max"] is None else read_decimal(self.options["max"])

    def parse(self, value: Any, lenient: bool = False) -> Decimal:
        """A number (or its text, which is exact) that fits without rounding, within the limits."""
        number = read_decimal(value.strip() if lenient and isinstance(value, str) else value)
        if abs(number) >= self._limit:
            raise refuse("range", f"must be between -{self._largest()} and {self._largest()}")
        exact = number.quantize(self._place, context=_EXACT)
        if exact != number:
            raise refuse("scale", f"must have at most {self.scale} digits after the point")
        check_range(exact, self._min, self._max)
        # Negative zero: the two databases would show it differently.
        return exact if exact else abs(exact)

    def _largest(self) -> str:
        return f"{self._limit - self._place:,f}"

    def operand(self, value: Any) -> Decimal:
        """Any number, also one that the field could not hold."""
        return read_decimal(value)

    @property
    def value_type(self) -> Type:
        """decimal"""
        return DECIMAL

    def json_schema(self) -> dict[str, Any]:
        """A number with its limits."""
        return {"type": "number", **range_schema(self.options)}

    def column(self, dialect: str) -> str:
        """SQLite has no exact decimals: there it is kept as an integer of the last place (cents)."""
        return "INTEGER" if dialect == "sqlite" else f"numeric({self.options['precision']},{self.scale})"

    def binder(self, dialect: str) -> Convert | None:
        """On SQLite the count of last places; a bound between two of them, or past 64 bits, as a double."""
        if dialect != "sqlite":
            return None
        scale = self.scale

        def to_places(value: Decimal) -> int | float:
            places = value.scaleb(scale, context=_EXACT)
            return (
                int(places) if places == places.to_integral_value() and abs(places) < 2**63 else float(places)
            )

        return to_places

    def loader(self, dialect: str) -> Convert | None:
        """From the count of last places on SQLite."""
        if dialect != "sqlite":
            return None
        place = self._place
        # Exact: a product of at most 19 digits, where the default context keeps 28.
        return lambda places: Decimal(places) * place

    def bind_cells(self, cells: Sequence[str], dialect: str) -> list[Any] | None:
        """Plain numbers with as many digits as the field has places for; PostgreSQL reads them as they are."""
        if self._min is not None or self._max is not None or not all(map(self._plain_cell, cells)):
            return None
        if dialect != "sqlite":
            return list(cells)
        scale = self.scale
        parts = [cell.partition(".") for cell in cells]
        return [int(whole + places.ljust(scale, "0")) for whole, _, places in parts]

    def to_json(self, value: Decimal) -> Decimal:
        """A JSON number with all its digits."""
        return value

    def from_json(self, value: Any) -> Decimal:
        """From the JSON number, read as a Decimal."""
        return Decimal(value).quantize(self._place, context=_EXACT)
