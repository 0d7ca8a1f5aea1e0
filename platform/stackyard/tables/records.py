"""Reading what is to be written: data from outside into the values of columns, every fault at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from stackyard.core.errors import Detail, did_you_mean

from .definitions import FieldDef, Schema, TableDef
from .field_type import Convert, Refused, refuse, shown

MOST_FAULTS = 1_000


@dataclass(slots=True)
class Reading:
    """A record as it was read. `bound` are the driver's values by column, `references` those that point somewhere."""

    bound: dict[str, Any] = field(default_factory=dict)
    references: dict[str, int] = field(default_factory=dict)
    details: list[Detail] = field(default_factory=list)


class RecordReader:
    """Reads records of one table; made once per schema."""

    def __init__(self, table: TableDef, dialect: str) -> None:
        self.table = table
        self._fields = [_FieldReader(f, dialect) for f in table.own_fields]
        self._by_name = {reader.name: reader for reader in self._fields}
        self._system = {f.name: _FieldReader(f, dialect) for f in table.fields.values() if f.is_system}

    def new(self, data: Any, place: str = "") -> Reading:
        """A whole record to add: fields that are absent take their default, or null."""
        reading = self._begin(data, place)
        if isinstance(data, Mapping):
            for reader in self._fields:
                reader.read_or_default(data, reading, place)
        return reading

    def whole(self, data: Any, place: str = "") -> Reading:
        """A whole record to put in another's place. Private and internal fields keep what they hold unless named."""
        reading = self._begin(data, place)
        if isinstance(data, Mapping):
            for reader in self._fields:
                if reader.field.is_public or reader.name in data:
                    reader.read_or_default(data, reading, place)
        return reading

    def part(self, data: Any, place: str = "") -> Reading:
        """Only the fields that are named."""
        reading = self._begin(data, place)
        if isinstance(data, Mapping):
            for name, value in data.items():
                reader = self._by_name.get(name)
                if reader is not None:
                    reader.read(value, reading, place)
        return reading

    def imported(self, data: Mapping[str, Any], place: str = "") -> Reading:
        """A record from elsewhere that may bring its own `id` and `created_at`."""
        own = {name: value for name, value in data.items() if name not in self._system}
        reading = self.new(own, place)
        for name, reader in self._system.items():
            if data.get(name) is not None:
                reader.read(data[name], reading, place)
        return reading

    def missing(self, data: Mapping[str, Any]) -> bool:
        """Whether a required field is neither named nor has a default."""
        return any(
            reader.field.required and data.get(reader.name) is None and reader.make_default is None
            for reader in self._fields
        )

    def _begin(self, data: Any, place: str) -> Reading:
        reading = Reading()
        if not isinstance(data, Mapping):
            reading.details.append(Detail(place, "type", f"expected a record, got {shown(data)}"))
            return reading
        for name in data:
            if name not in self._by_name:
                reading.details.append(self._unknown(str(name), place))
        return reading

    def _unknown(self, name: str, place: str) -> Detail:
        at = _at(place, name)
        if name in self._system:
            return Detail(at, "read_only", "is made by the database")
        hint = did_you_mean(name, self._by_name)
        return Detail(at, "unknown_field", f"{self.table.name} has no such field.{hint}")


class _FieldReader:
    """One field: how its value is read, bound and made when it is absent."""

    __slots__ = ("_bind", "_is_reference", "_parse", "_shadow", "column", "field", "make_default", "name")

    def __init__(self, field: FieldDef, dialect: str) -> None:
        self.field = field
        self.name = field.name
        self.column = field.column
        self._parse = field.type.record_parse if field.index_bytes is None else _within(field)
        self._bind: Convert | None = field.type.binder(dialect)
        self._is_reference = field.is_reference
        self._shadow = field.shadow
        self.make_default = default_maker(field)

    def read_or_default(self, data: Mapping[str, Any], reading: Reading, place: str) -> None:
        """The value that is named, else the default, else null."""
        name = self.name
        if name in data:
            self.read(data[name], reading, place)
        elif self.make_default is not None:
            self.read(self.make_default(), reading, place)
        else:
            self.read(None, reading, place)

    def read(self, value: Any, reading: Reading, place: str) -> None:
        """The value, into `reading`."""
        if value is None:
            if self.field.required:
                reading.details.append(Detail(_at(place, self.name), "required", "is required"))
            else:
                reading.bound[self.column] = None
                if self._shadow is not None:
                    reading.bound[self._shadow.column] = None
            return
        try:
            value = self._parse(value)
        except Refused as refused:
            for fault in refused.faults:
                at = ".".join((_at(place, self.name), *map(str, fault.path)))
                reading.details.append(Detail(at, fault.code, fault.message))
            return
        if self._is_reference:
            reading.references[self.column] = value
        reading.bound[self.column] = value if self._bind is None else self._bind(value)
        if self._shadow is not None:
            reading.bound[self._shadow.column] = self._shadow.bind(value)


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _within(field: FieldDef) -> Convert:
    """`parse` for a text that an index holds, and that therefore has to fit in it."""
    most = field.index_bytes or 0

    def parse(value: Any) -> Any:
        text = field.type.parse(value)
        if len(text) * 4 > most and len(text.encode()) > most:
            raise refuse("length", f"must have at most {most:,} bytes, because the field is indexed")
        return text

    return parse


def default_maker(field: FieldDef) -> Callable[[], Any] | None:
    """What makes the field's default for a record; None when it has none."""
    default = field.default
    if default is None:
        return None
    if isinstance(default, str) and default in field.type.default_words:
        return field.type.default_words[default]
    return lambda: default


def reader(schema: Schema, table: TableDef) -> RecordReader:
    """The table's reader, kept with the schema's statements."""
    made: RecordReader = schema.statements.make(
        ("reader", table.id), lambda: RecordReader(table, schema.dialect)
    )
    return made


def read_all(read: Callable[[Any, str], Reading], items: Sequence[Any]) -> tuple[list[Reading], list[Detail]]:
    """Every item of a bulk step; the faults (the first thousand of them) carry its index: `3.price`."""
    readings = [read(item, str(index)) for index, item in enumerate(items)]
    return readings, list(islice((detail for reading in readings for detail in reading.details), MOST_FAULTS))
