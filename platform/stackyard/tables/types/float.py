"""Binary floating point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from stackyard.core.types import FLOAT, Type
from stackyard.tables.field_type import ORDER, FieldType, Option, refuse, unexpected
from stackyard.tables.types.int import check_range, range_schema


def parse_float(value: Any, lenient: bool = False) -> float:
    """A finite double from a JSON number; `lenient` also from text such as `1.5` or `2e3`."""
    if lenient and isinstance(value, str):
        try:
            number = float(value) if value.isascii() and "_" not in value else math.nan
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise unexpected("a number", value)
        return number
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        raise unexpected("a number", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise refuse("range", "must be a finite number of 64 bits")
    # Negative zero: the two databases would show it differently.
    return number or 0.0


class FloatType(FieldType):
    """A number with a fraction, kept in 64 bits: about 15 digits, not exact. Use decimal for money."""

    name = "float"
    label = "Float"
    group = "numbers"
    icon = "percent"
    option_spec = {
        "min": Option("number", "The least value."),
        "max": Option("number", "The greatest value."),
    }
    operators = ORDER
    plain_in_json = False
    examples = ((1.5, 1.5), (2, 2.0))

    def parse(self, value: Any, lenient: bool = False) -> float:
        """A number, within the limits."""
        number = parse_float(value, lenient)
        check_range(number, self.options["min"], self.options["max"])
        return number

    def operand(self, value: Any) -> float:
        """Any finite number."""
        return parse_float(value)

    @property
    def value_type(self) -> Type:
        """float"""
        return FLOAT

    def json_schema(self) -> dict[str, Any]:
        """A number with its limits."""
        return {"type": "number", **range_schema(self.options)}

    def column(self, dialect: str) -> str:
        """A double on both."""
        return "REAL" if dialect == "sqlite" else "double precision"

    def from_json(self, value: Any) -> float:
        """JSON may have written 2.0 as 2."""
        return float(value)

    def bind_cells(self, cells: Sequence[str], dialect: str) -> list[Any] | None:
        """Finite numbers, within the limits."""
        joined = "".join(cells)
        if not joined.isascii() or "_" in joined:
            return None
        try:
            numbers = list(map(float, cells))
        except ValueError:
            return None
        if not all(map(math.isfinite, numbers)):
            return None
        least, most = self.options["min"], self.options["max"]
        if (least is not None and min(numbers) < least) or (most is not None and max(numbers) > most):
            return None
        return [number or 0.0 for number in numbers]
