"""References to a record of another table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stackyard.core.errors import Faults, Path
from stackyard.core.types import INT, Type
from stackyard.tables.field_type import ORDER, FieldType, Option, refuse
from stackyard.tables.types.int import MOST, parse_int, plain_ints

ON_DELETE = ("restrict", "cascade", "set_null")


class ReferenceType(FieldType):
    """The id of a record of another table. `on_delete` says what becomes of this record when that one goes."""

    name = "reference"
    label = "Table reference"
    group = "structures"
    icon = "link"
    option_spec = {
        "table": Option("table", "The table referred to.", fixed=True),
        "on_delete": Option(
            "text",
            "restrict: refuse; cascade: delete this record too; set_null: leave it without (the default, "
            "or restrict where the field is required).",
            choices=ON_DELETE,
        ),
    }
    operators = ORDER
    can_be_nested = False
    examples = ()

    @classmethod
    def check_options(cls, options: Mapping[str, Any], faults: Faults, path: Path) -> None:
        """A reference always goes to a table."""
        if options["table"] is None:
            faults.error((*path, "table"), "required", "say which table: table: companies")

    def parse(self, value: Any, lenient: bool = False) -> int:
        """An id; whether that record exists is asked by the store."""
        number = parse_int(value, lenient)
        if number < 1:
            raise refuse("range", "must be at least 1")
        return number

    def operand(self, value: Any) -> int:
        """Any integer of 64 bits."""
        return parse_int(value)

    def bind_cells(self, cells: Sequence[str], dialect: str) -> list[Any] | None:
        """Ids."""
        numbers = plain_ints(cells)
        return numbers if numbers is not None and min(numbers) >= 1 and max(numbers) <= MOST else None

    @property
    def value_type(self) -> Type:
        """int"""
        return INT

    def column(self, dialect: str) -> str:
        """The id's own type."""
        return "INTEGER" if dialect == "sqlite" else "bigint"
