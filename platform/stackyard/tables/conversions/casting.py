"""From a value of one field type to a value of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from stackyard.core.jsonout import milliseconds
from stackyard.tables.field_type import FieldType, Refused

_TEXTS = frozenset({"text", "email", "enum", "uuid"})
_STRUCTURES = frozenset({"json", "object", "list"})


def _whole(value: Decimal) -> Any:
    return int(value) if value == value.to_integral_value() else value


# What the general way (through JSON, read as leniently as a form) would not do as people expect.
_SPECIAL: Mapping[tuple[str, str], Callable[[Any], Any]] = {
    ("timestamp", "int"): milliseconds,
    ("timestamp", "date"): lambda value: value.date(),
    ("date", "timestamp"): lambda value: f"{value}T00:00:00Z",
    ("bool", "int"): int,
    ("bool", "float"): int,
    ("bool", "decimal"): int,
    ("decimal", "int"): _whole,
    ("decimal", "reference"): _whole,
}


class Cast:
    """Converts values of `old` to `new`; both are configured types."""

    def __init__(self, old: FieldType, new: FieldType) -> None:
        self.old, self.new = old, new
        self._prepare = self._preparation()

    def _preparation(self) -> Callable[[Any], Any]:
        special = _SPECIAL.get((self.old.name, self.new.name))
        if special is not None:
            return special
        if self.new.name in _TEXTS:
            return self.old.csv_text
        return self.old.to_json

    def value(self, value: Any) -> Any:
        """The value as the new type has it. Raises `Refused`; None where a text says nothing (`""` as a number)."""
        prepared = self._prepare(value)
        if prepared == "" and self.new.name not in _TEXTS and self.new.name not in _STRUCTURES:
            return None
        return self.new.parse(prepared, lenient=True)

    def binder(self, dialect: str, default: Any = None) -> Callable[[Any], Any]:
        """From a value of the old type to the driver's of the new; what can't be converted is the default, or None."""
        new, value = self.new, self.value

        def bind(given: Any) -> Any:
            try:
                made = value(given)
            except Refused:
                made = None if default is None else self.default(default)
            return new.bind(made, dialect)

        return bind

    def default(self, default: Any) -> Any:
        """A default of the new type as a value."""
        words = self.new.default_words
        if isinstance(default, str) and default in words:
            return self.new.parse(words[default]())
        return self.new.parse(default)
