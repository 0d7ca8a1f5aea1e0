"""What a workspace's tables look like, frozen: the answer to "which field is that" without a database.

A request works with one `Schema` to its end. Nothing in here knows models or SQL texts; names of tables
and columns are physical ones by id (`d7`, `c31`), so a name that a person gave never reaches SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from stackyard.core.bounded import Bounded
from stackyard.core.data_source import LIVE
from stackyard.core.errors import Problem, did_you_mean
from stackyard.core.types import Type, object_of

from .field_type import FieldType

STATEMENTS = 2_000
"""How many compiled statements one schema keeps."""


@dataclass(frozen=True, eq=False)
class Shadow:
    """The second column of a field that is being converted: whatever is written goes into it as well, as `bind` makes it.

    `bind` takes a value of the field and gives a driver's value of the new type; None for what can't be converted.
    """

    column: str
    type: FieldType
    bind: Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class FieldDef:
    """A field. `id` is 0 for `id` and `created_at`, which every table has and the store fills.

    `default` is a JSON value or one of the type's words (`now`); `index_bytes` is how long a text may be
    because an index holds it (None: no index does).
    """

    id: int
    name: str
    column: str
    type: FieldType
    required: bool = False
    unique: bool = False
    default: Any = None
    access: str = "public"
    description: str = ""
    index_bytes: int | None = None
    shadow: Shadow | None = None

    @property
    def is_system(self) -> bool:
        """Whether the store makes it."""
        return self.id == 0

    @property
    def is_public(self) -> bool:
        """Whether it is part of a record unless something else is asked for."""
        return self.access == "public" and self.type.can_be_read

    @property
    def never_null(self) -> bool:
        """Whether the column can't hold null (`required` is held by the store, not by the column)."""
        return self.is_system

    @cached_property
    def value_type(self) -> Type:
        """The type of its value; null is possible unless it is required."""
        plain = self.type.value_type
        return plain if self.is_system or self.required else plain.or_null()

    @property
    def is_reference(self) -> bool:
        """Whether it refers to another table."""
        return self.type.name == "reference"

    @property
    def target(self) -> int:
        """The id of the table it refers to."""
        target: int = self.type.options["table"]
        return target

    @property
    def on_delete(self) -> str:
        """What becomes of a record whose target goes: `restrict`, `cascade` or `set_null`."""
        chosen: str | None = self.type.options["on_delete"]
        return chosen or ("restrict" if self.required else "set_null")


@dataclass(frozen=True, eq=False)
class IndexDef:
    """An index. `fields` are (name, descending)."""

    id: int
    name: str
    fields: tuple[tuple[str, bool], ...]
    unique: bool


@dataclass(frozen=True, eq=False)
class TableDef:
    """A table. `fields` holds `id` and `created_at` first; `namespace` is the SQL schema on PostgreSQL.

    `indexes` are built; those of `building` serve nobody yet, but what is written must fit into them.
    """

    id: int
    name: str
    physical: str
    namespace: str | None
    fields: Mapping[str, FieldDef]
    indexes: Sequence[IndexDef] = ()
    building: Sequence[IndexDef] = ()
    description: str = ""

    @property
    def key(self) -> Any:
        """What tells it from other things that queries read from, in every process alike."""
        return self.id

    @property
    def keys(self) -> tuple[str, ...]:
        """The fields that settle an order."""
        return ("id",)

    def field(self, name: str) -> FieldDef:
        """A field that can be read, by name. Problem `INVALID_INPUT` that proposes the nearest."""
        found = self.readable.get(name)
        if found is None:
            raise Problem("INVALID_INPUT", f"{self.name} has no field {self.unknown(name)}")
        return found

    def unknown(self, name: str) -> str:
        """`"nam". Did you mean "name"?`, for messages."""
        return f'"{name}".{did_you_mean(name, self.readable)}'

    def visible(self, public_only: bool) -> Mapping[str, FieldDef]:
        """The fields that a query may name: public ones, or also private and internal ones; never a password."""
        return self.public if public_only else self.readable

    def group_of(self, name: Any) -> list[FieldDef]:
        """The public fields that one name stands for: a join's, in a query that has joins."""
        return []

    @cached_property
    def readable(self) -> Mapping[str, FieldDef]:
        """All fields but those whose values never leave the store."""
        return {f.name: f for f in self.fields.values() if f.type.can_be_read}

    @cached_property
    def public(self) -> Mapping[str, FieldDef]:
        """`public_fields` by name."""
        return {f.name: f for f in self.public_fields}

    @cached_property
    def public_fields(self) -> tuple[FieldDef, ...]:
        """What a record holds unless something else is asked for."""
        return tuple(f for f in self.fields.values() if f.is_public)

    @cached_property
    def own_fields(self) -> tuple[FieldDef, ...]:
        """All but `id` and `created_at`."""
        return tuple(f for f in self.fields.values() if not f.is_system)

    @cached_property
    def column_types(self) -> Mapping[str, FieldType]:
        """Every column that a write may name, those of conversions under way too, with its type."""
        shadows = [f.shadow for f in self.fields.values() if f.shadow is not None]
        return {f.column: f.type for f in self.fields.values()} | {s.column: s.type for s in shadows}

    @cached_property
    def references(self) -> tuple[FieldDef, ...]:
        """The fields that refer to other tables."""
        return tuple(f for f in self.own_fields if f.is_reference)

    @cached_property
    def unique_fields(self) -> tuple[str, ...]:
        """The names of the fields that tell one record, `id` first."""
        return ("id", *(f.name for f in self.own_fields if f.unique))

    @cached_property
    def unique_indexes(self) -> tuple[IndexDef, ...]:
        """The indexes that refuse doubles; PostgreSQL does so while it builds one."""
        return tuple(index for index in (*self.indexes, *self.building) if index.unique)

    def record_type(self, fields: Sequence[str] | None = None) -> Type:
        """The type of a record: of its public fields, or of those named."""
        chosen = self.public_fields if fields is None else [self.field(name) for name in fields]
        return object_of({f.name: f.value_type for f in chosen})


@dataclass(frozen=True, eq=False)
class Schema:
    """All tables of a workspace at one version, with the records of one data source.

    `statements` keeps what was compiled for them; `folding` is PostgreSQL's collation for lower case.
    """

    workspace_id: int
    version: int
    tables: Mapping[str, TableDef]
    dialect: str = "sqlite"
    folding: str = "default"
    source: str = LIVE
    statements: Bounded = field(default_factory=lambda: Bounded(STATEMENTS), repr=False)

    def table(self, name: str | TableDef) -> TableDef:
        """A table by name. Problem `INVALID_INPUT` that proposes the nearest."""
        found = self.tables.get(name) if isinstance(name, str) else self.tables_by_id.get(name.id)
        if found is None:
            shown = name if isinstance(name, str) else name.name
            hint = did_you_mean(shown, self.tables)
            raise Problem("INVALID_INPUT", f'There is no table "{shown}".{hint}')
        return found

    @cached_property
    def tables_by_id(self) -> Mapping[int, TableDef]:
        """The tables by id."""
        return {table.id: table for table in self.tables.values()}

    @cached_property
    def referring(self) -> Mapping[int, tuple[tuple[TableDef, FieldDef], ...]]:
        """By table id: the fields anywhere that refer to that table."""
        found: dict[int, list[tuple[TableDef, FieldDef]]] = {}
        for table in self.tables.values():
            for reference in table.references:
                found.setdefault(reference.target, []).append((table, reference))
        return {target: tuple(pairs) for target, pairs in found.items()}
