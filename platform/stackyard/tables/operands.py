"""The right-hand sides of conditions: literals known when a query is prepared, and `Slot`s known when it runs.

An operand is read by the type it is compared with and bound for the database. What it turns out to be
(a value, null, left out …) is its *state*; the statement's text depends on the states and never on the
values, so a list of any length and a value of any kind share one statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from stackyard.core.errors import Detail, Path
from stackyard.core.jsonout import encode, iso
from stackyard.core.types import Type

from .field_type import FieldType, Refused, refuse, shown
from .types.int import LEAST, MOST
from .types.text import check_characters


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a value that comes when the query runs: `values[index]`.

    `optional`: the condition is left out when the value is null. `type`: what is known of the value
    beforehand, for the check.
    """

    index: int
    optional: bool = False
    type: Type | None = None


# States.
VALUE = "value"
NULL = "null"
ABSENT = "absent"
WITH_NULL = "with null"
"""A list that holds null among others."""

TEXT_LIMIT = 5_000
"""Characters of a pattern; SQLite refuses patterns past 50,000 bytes."""


def holds_slot(value: Any) -> bool:
    """Whether a literal has a slot in it."""
    if isinstance(value, Slot):
        return True
    if isinstance(value, Mapping):
        return any(isinstance(entry, Slot) for entry in value.values())
    return isinstance(value, list | tuple) and any(isinstance(entry, Slot) for entry in value)


def filled(value: Any, values: Sequence[Any]) -> Any:
    """A literal with its slots replaced by run-time values."""
    if isinstance(value, Slot):
        return values[value.index]
    if isinstance(value, Mapping):
        return {k: values[v.index] if isinstance(v, Slot) else v for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [values[entry.index] if isinstance(entry, Slot) else entry for entry in value]
    return value


class Reader:
    """Reads one value for a comparison with a column of a type, and binds it."""

    def __init__(self, type_: FieldType, dialect: str, change: Callable[[str], str] | None = None) -> None:
        self.type = type_
        self.dialect = dialect
        self.change = change
        self._bind = type_.binder(dialect)

    def read(self, value: Any) -> Any:
        """The value for the driver. Raises `Refused`."""
        value = self.type.operand(value)
        if self.change is not None:
            return self.change(value)
        return value if self._bind is None else self._bind(value)

    def state(self, values: Sequence[Any]) -> str:
        """The state of an operand of these (not null) values."""
        return VALUE


class JsonReader(Reader):
    """Reads a value for a comparison within JSON whose kind nobody declared: the value says the kind."""

    def __init__(self, dialect: str, change: Callable[[str], str] | None = None) -> None:
        self.dialect = dialect
        self.change = change

    def read(self, value: Any) -> Any:
        """Text, a number or a bool, as the database compares it."""
        kind = json_kind(value)
        if self.change is not None:
            if kind != "text" or not isinstance(value, str):
                raise refuse("type", f"expected text, got {shown(value)}")
            return self.change(value)
        return bind_json(value, kind, self.dialect)

    def state(self, values: Sequence[Any]) -> str:
        """The one kind of all values."""
        kinds = {json_kind(value) for value in values}
        if len(kinds) > 1:
            raise refuse("type", "expected values of one kind: all text, all numbers or all true and false")
        return kinds.pop() if kinds else "text"


class TypedJsonReader(Reader):
    """Reads a value for a comparison with a declared key of an object."""

    def read(self, value: Any) -> Any:
        """As the key's type says, in the form it has inside JSON."""
        value = self.type.operand(value)
        if self.change is not None:
            return self.change(value)
        value = self.type.to_json(value)
        return bind_json(value, json_kind(value), self.dialect)


def json_kind(value: Any) -> str:
    """`text`, `number` or `bool`: what a value is within JSON. Raises `Refused` for lists and objects."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float | Decimal):
        return "number"
    if isinstance(value, str | datetime | date):
        return "text"
    raise refuse("type", f"expected text, a number, true or false, got {shown(value)}")


def bind_json(value: Any, kind: str, dialect: str) -> Any:
    """A scalar as the database compares it with a scalar that it took out of JSON."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if kind == "number":
        return _bind_number(value, dialect)
    if kind == "text":
        check_characters(value)
    return int(value) if kind == "bool" and dialect == "sqlite" else value


def _bind_number(value: Any, dialect: str) -> Any:
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not number.is_finite():
        raise refuse("range", "must be a finite number")
    if dialect != "sqlite":
        return number
    return value if isinstance(value, int) and LEAST <= value <= MOST else float(value)


@dataclass(slots=True)
class Operand:
    """One right-hand side. `many`: it is a list (`$in`); `as_json`: it is bound as JSON (`$has`)."""

    source: Any
    reader: Reader
    path: Path
    optional: bool = False
    many: bool = False
    as_json: bool = False
    fixed: tuple[str, Any] | None = field(default=None)

    def settle(self) -> None:
        """Work out the state and value now, when no slot is in it. Raises `Refused`."""
        if not holds_slot(self.source):
            self.fixed = self.evaluate(())

    def evaluate(self, values: Sequence[Any]) -> tuple[str, Any]:
        """State and bound value at run time. Raises `Refused`."""
        value = filled(self.source, values)
        if value is None:
            return (ABSENT if self.optional else NULL), None
        if self.as_json:
            return VALUE, self._bind_json(value)
        if self.many:
            return self._bind_many(value)
        return self.reader.state((value,)), self.reader.read(value)

    def details(self, refused: Refused) -> list[Detail]:
        """The faults of a run-time value, by the path of the condition."""
        return [
            Detail(".".join(map(str, (*self.path, *fault.path))), fault.code, fault.message)
            for fault in refused.faults
        ]

    def _bind_many(self, value: Any) -> tuple[str, Any]:
        items = self._items(value)
        present = [item for item in items if item is not None]
        state = self.reader.state(present)
        bound = [self.reader.read(item) for item in present]
        if len(present) < len(items):
            state = f"{state} {WITH_NULL}" if state != VALUE else WITH_NULL
        return state, encode(bound).decode() if self.reader.dialect == "sqlite" else bound

    def _items(self, value: Any) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise refuse("type", f"expected a list, got {shown(value)}")
        return list(value)

    def _bind_json(self, value: Any) -> Any:
        """JSON of the items; for `$has` a list of the one item."""
        items = self._items(value) if self.many else [value]
        read = [self._read_json(item) for item in items]
        return encode(read).decode()

    def _read_json(self, item: Any) -> Any:
        if isinstance(self.reader, JsonReader):
            return bind_json(item, json_kind(item), "postgresql")
        return self.reader.type.to_json(self.reader.type.operand(item))
