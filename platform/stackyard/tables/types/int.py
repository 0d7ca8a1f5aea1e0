"""Whole numbers of 64 bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stackyard.core.types import INT, Type
from stackyard.tables.field_type import ORDER, FieldType, Option, refuse, unexpected

LEAST, MOST = -(2**63), 2**63 - 1


def parse_int(value: Any, lenient: bool = False) -> int:
    """A 64-bit integer from a JSON number without a fraction; `lenient` also from its digits as text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    elif lenient and isinstance(value, str):
        value = _digits(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise unexpected("an integer", value)
    if not LEAST <= value <= MOST:
        raise refuse("range", f"must be between {LEAST:,} and {MOST:,}")
    return value


def _digits(text: str) -> int | str:
    stripped = text.strip()
    bare = stripped.removeprefix("-")
    return int(stripped) if bare.isascii() and bare.isdigit() and len(bare) <= 20 else text


class IntType(FieldType):
    """A whole number, between -2^63 and 2^63-1."""

    name = "int"
    label = "Integer"
    group = "numbers"
    icon = "hash"
    option_spec = {
        "min": Option("int", "The least value.", least=LEAST, most=MOST),
        "max": Option("int", "The greatest value.", least=LEAST, most=MOST),
    }
    operators = ORDER
    examples = ((12, 12), (-3.0, -3))

    def configure(self) -> None:
        """Read the limits."""
        self._min, self._max = self.options["min"], self.options["max"]

    def parse(self, value: Any, lenient: bool = False) -> int:
        """A number, within the limits."""
        if type(value) is not int or not LEAST <= value <= MOST:
            value = parse_int(value, lenient)
        number: int = value
        check_range(number, self._min, self._max)
        return number

    def operand(self, value: Any) -> int:
        """Any integer of 64 bits."""
        return parse_int(value)

    @property
    def value_type(self) -> Type:
        """int"""
        return INT

    def json_schema(self) -> dict[str, Any]:
        """An integer with its limits."""
        return {"type": "integer", **range_schema(self.options)}

    def column(self, dialect: str) -> str:
        """64 bits on both."""
        return "INTEGER" if dialect == "sqlite" else "bigint"

    def bind_cells(self, cells: Sequence[str], dialect: str) -> list[Any] | None:
        """Plain digits, within the limits."""
        numbers = plain_ints(cells)
        if numbers is None:
            return None
        least = LEAST if self._min is None else self._min
        most = MOST if self._max is None else self._max
        return numbers if least <= min(numbers) and max(numbers) <= most else None


def plain_ints(cells: Sequence[str]) -> list[int] | None:
    """The numbers of cells that are digits; None when one is anything else."""
    joined = "".join(cells)
    if not joined.isascii() or "_" in joined or "+" in joined:
        return None
    try:
        return list(map(int, cells))
    except ValueError:
        return None


def check_range(value: Any, least: Any, most: Any) -> None:
    """Refuse what is under `least` or over `most` (None: no limit)."""
    if least is not None and value < least:
        raise refuse("range", f"must be at least {least:,}")
    if most is not None and value > most:
        raise refuse("range", f"must be at most {most:,}")


def range_schema(options: Any) -> dict[str, Any]:
    """`minimum` and `maximum` of JSON Schema."""
    schema = {}
    if options["min"] is not None:
        schema["minimum"] = options["min"]
    if options["max"] is not None:
        schema["maximum"] = options["max"]
    return schema
