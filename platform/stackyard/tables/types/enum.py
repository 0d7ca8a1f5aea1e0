"""One of some texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stackyard.core.errors import Faults, Path, did_you_mean
from stackyard.core.types import Type
from stackyard.tables.field_type import TEXT, FieldType, Option, refuse, unexpected
from stackyard.tables.types.text import parse_text


class EnumType(FieldType):
    """One of the texts in `values`."""

    name = "enum"
    label = "Enum"
    group = "texts"
    icon = "list-check"
    option_spec = {"values": Option("texts", "The texts to choose from.")}
    operators = TEXT
    examples = ()

    @classmethod
    def check_options(cls, options: Any, faults: Faults, path: Path) -> None:
        """There must be values."""
        if not options["values"]:
            faults.error((*path, "values"), "required", "say which values there are: values: [open, closed]")

    def configure(self) -> None:
        """Look-up of the values."""
        self.values = tuple(self.options["values"])
        self._known = frozenset(self.values)

    def parse(self, value: Any, lenient: bool = False) -> str:
        """One of the values, exactly."""
        if not isinstance(value, str):
            raise unexpected("text", value)
        if value not in self._known:
            few = f"expected one of {', '.join(self.values)}" if len(self.values) <= 12 else "no such value"
            hint = "" if len(self.values) <= 12 else did_you_mean(value, self.values)
            raise refuse("value", f"{few}{hint}")
        return value

    def operand(self, value: Any) -> str:
        """Any text: records may hold a value that was taken out of the list since."""
        return parse_text(value)

    @property
    def value_type(self) -> Type:
        """Text with its values."""
        return Type("text", values=self.values)

    def column(self, dialect: str) -> str:
        """Text."""
        return "TEXT" if dialect == "sqlite" else 'text COLLATE "C"'

    def bind_cells(self, cells: Sequence[str], dialect: str) -> list[Any] | None:
        """Some of the values."""
        return list(cells) if self._known.issuperset(cells) else None
