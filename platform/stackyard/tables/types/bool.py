"""True or false."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stackyard.core.types import BOOL, Type
from stackyard.tables.field_type import EQUALITY, Convert, FieldType, unexpected

_WORDS = {
    "true": True,
    "false": False,
    "1": True,
    "0": False,
    "on": True,
    "off": False,
    "yes": True,
    "no": False,
}


class BoolType(FieldType):
    """True or false."""

    name = "bool"
    label = "Boolean"
    group = "basics"
    icon = "toggle"
    operators = EQUALITY
    examples = ((True, True), (False, False))

    def parse(self, value: Any, lenient: bool = False) -> bool:
        """true or false; `lenient` also takes 1, 0 and the words of forms (true, on, yes, false, off, no)."""
        if isinstance(value, bool):
            return value
        if lenient:
            word = value.strip().lower() if isinstance(value, str) else str(value)
            if word in _WORDS and isinstance(value, str | int):
                return _WORDS[word]
        raise unexpected("true or false", value)

    @property
    def value_type(self) -> Type:
        """bool"""
        return BOOL

    def column(self, dialect: str) -> str:
        """0 or 1 on SQLite."""
        return "INTEGER" if dialect == "sqlite" else "boolean"

    def binder(self, dialect: str) -> Convert | None:
        """0 or 1 on SQLite."""
        return int if dialect == "sqlite" else None

    def loader(self, dialect: str) -> Convert | None:
        """From 0 or 1 on SQLite."""
        return bool if dialect == "sqlite" else None

    def csv_text(self, value: Any) -> str:
        """true, false or nothing."""
        return "" if value is None else str(value).lower()

    def bind_cells(self, cells: Sequence[str], dialect: str) -> list[Any] | None:
        """The words in lower case."""
        values = list(map(_WORDS.get, cells))
        if None in values:
            return None
        return list(map(int, values)) if dialect == "sqlite" else values  # type: ignore[arg-type]
