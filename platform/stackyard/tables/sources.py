"""What a query reads from when it joins tables or computes fields: a table made of others, for one query.

A `Source` stands where a `TableDef` does. The fields of a join are called `alias.field`, computed ones by their
names; conditions, sorts, cursors and groups treat them like any other. What is private stays so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import Faults, Path, did_you_mean
from stackyard.core.names import is_name, name_rule

from .computed import Computed, read_computed
from .definitions import FieldDef, Schema, TableDef
from .field_type import shown
from .related import find_table

MOST_JOINS = 5
MOST_COMPUTED = 20
_KEYS = ("table", "as", "match", "type")
JOIN_TYPES = ("left", "inner")


@dataclass(frozen=True, eq=False)
class Join:
    """A table beside another. `match` are (its own field, the field met), `number` says where it stands."""

    number: int
    alias: str
    table: TableDef
    match: tuple[tuple[FieldDef, FieldDef], ...]
    is_inner: bool

    @property
    def name(self) -> str:
        """Its name in SQL."""
        return f"j{self.number}"

    @property
    def is_single(self) -> bool:
        """Whether at most one of its records meets each record."""
        return any(mine.unique for mine, _ in self.match)

    @property
    def key(self) -> tuple[Any, ...]:
        """What the statement's text depends on."""
        match = tuple((mine.column, theirs.name) for mine, theirs in self.match)
        return (self.table.id, self.alias, match, self.is_inner)

    def fields(self) -> list[FieldDef]:
        """Its fields as the query names them; those of a left join may be null."""
        return [
            replace(
                field,
                id=field.id if self.is_inner else field.id or -1,
                name=f"{self.alias}.{field.name}",
                column=f"{self.name}_{field.column}",
                required=field.required and self.is_inner,
            )
            for field in self.table.fields.values()
        ]


@dataclass(frozen=True, eq=False)
class Source(TableDef):
    """A table with what one query puts beside it."""

    joins: tuple[Join, ...] = ()
    computed: tuple[Computed, ...] = ()

    @cached_property
    def key(self) -> Any:
        """The table, the joins and the expressions."""
        computed = tuple((one.name, one.source) for one in self.computed)
        return (self.id, tuple(join.key for join in self.joins), computed)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The id, and those of joins that may give several records for one."""
        return ("id", *(f"{join.alias}.id" for join in self.joins if not join.is_single))

    @cached_property
    def public_fields(self) -> tuple[FieldDef, ...]:
        """The table's own and the computed ones; a join's come when they are named."""
        return tuple(f for f in self.fields.values() if f.is_public and "." not in f.name)

    @cached_property
    def public(self) -> Mapping[str, FieldDef]:
        """What callers may name, the fields of joins too."""
        return {f.name: f for f in self.fields.values() if f.is_public}

    def group_of(self, name: Any) -> list[FieldDef]:
        """The public fields of a join, by its name."""
        if not isinstance(name, str) or all(join.alias != name for join in self.joins):
            return []
        return [f for f in self.fields.values() if f.is_public and f.name.startswith(f"{name}.")]

    def marks(self, fields: tuple[FieldDef, ...]) -> tuple[FieldDef, ...]:
        """The ids that tell whether a join that is read found anything."""
        used = {f.name.split(".")[0] for f in fields if "." in f.name}
        return tuple(self.fields[f"{join.alias}.id"] for join in self.joins if join.alias in used)

    def nested(self, record: Mapping[str, Any], found: Mapping[str, bool]) -> dict[str, Any]:
        """A record whose joined fields stand in objects by alias; null where the join found nothing."""
        made: dict[str, Any] = {}
        for name, value in record.items():
            alias, dot, field = name.partition(".")
            if not dot:
                made[name] = value
            elif found[alias]:
                made.setdefault(alias, {})[field] = value
            else:
                made[alias] = None
        return made

    def nested_types(self, fields: Mapping[str, t.Type]) -> dict[str, t.Type]:
        """The types of what `nested` makes."""
        made: dict[str, t.Type] = {}
        inside: dict[str, dict[str, t.Type]] = {}
        for name, type_ in fields.items():
            alias, dot, field = name.partition(".")
            if not dot:
                made[name] = type_
                continue
            join = next(join for join in self.joins if join.alias == alias)
            # Within an object that is there, a field is as its own table has it.
            own = join.table.fields[field].value_type
            inside.setdefault(alias, {})[field] = own
            object_ = t.object_of(inside[alias])
            made[alias] = object_ if join.is_inner else object_.or_null()
        return made


def read_source(
    schema: Schema, table: TableDef, join: Any, computed: Any, public_only: bool, faults: Faults, path: Path
) -> TableDef:
    """The table itself, or a Source when something is joined or computed; faults under `path`."""
    if not join and not computed:
        return table
    joins = _Joins(schema, table, public_only, faults).read(join or (), (*path, "join"))
    fields = dict(table.fields)
    for one in joins:
        fields.update((field.name, field) for field in one.fields())
    source = _source(table, fields, joins, ())
    made = _computed(source, computed or {}, public_only, faults, (*path, "computed"))
    fields = {**fields, **{one.name: one.field(n) for n, one in enumerate(made)}}
    return _source(table, fields, joins, tuple(made))


def _source(
    table: TableDef, fields: Mapping[str, FieldDef], joins: tuple[Join, ...], computed: tuple[Computed, ...]
) -> Source:
    return Source(
        table.id, table.name, table.physical, table.namespace, fields, joins=joins, computed=computed
    )


def _computed(source: Source, given: Any, public_only: bool, faults: Faults, path: Path) -> list[Computed]:
    if not isinstance(given, Mapping):
        shape = 'expected a map of names and expressions, such as {"total": "price * count"}'
        faults.error(path, "type", f"{shape}, got {shown(given)}")
        return []
    if len(given) > MOST_COMPUTED:
        faults.error(path, "range", f"A query computes at most {MOST_COMPUTED} fields.")
        return []
    made = []
    for name, text in given.items():
        here = (*path, str(name))
        if not is_name(name):
            faults.error(here, "name", f"{shown(name)} is not a name. {name_rule()}")
        elif name in source.fields or any(join.alias == name for join in source.joins):
            faults.error(here, "taken", f'{source.name} has something named "{name}" already.')
        else:
            one = read_computed(name, text, source.visible(public_only), faults, here)
            made += [] if one is None else [one]
    return made


class _Joins:
    """Reads the joins of a query; each may meet the table and the joins before it."""

    def __init__(self, schema: Schema, table: TableDef, public_only: bool, faults: Faults) -> None:
        self.schema = schema
        self.table = table
        self.public_only = public_only
        self.faults = faults
        self.met: dict[str, FieldDef] = dict(table.visible(public_only))
        self.taken = set(table.fields)

    def read(self, given: Any, path: Path) -> tuple[Join, ...]:
        """All joins, in order."""
        if not isinstance(given, list | tuple):
            self.faults.error(path, "type", f"expected a list of joins, got {shown(given)}")
            return ()
        if len(given) > MOST_JOINS:
            self.faults.error(path, "range", f"A query joins at most {MOST_JOINS} tables.")
            return ()
        made: list[Join] = []
        for position, one in enumerate(given):
            join = self._join(one, len(made), (*path, position))
            if join is not None:
                made.append(join)
                visible = join.table.visible(self.public_only)
                self.met.update(
                    (f.name, f) for f in join.fields() if f.name.removeprefix(f"{join.alias}.") in visible
                )
        return tuple(made)

    def _join(self, given: Any, number: int, path: Path) -> Join | None:
        if not isinstance(given, Mapping):
            self.faults.error(path, "type", f"expected a join, got {shown(given)}")
            return None
        for key in given:
            if key not in _KEYS:
                self.faults.error(
                    (*path, str(key)), "unknown_key", f'A join has no "{key}".{did_you_mean(str(key), _KEYS)}'
                )
        table = find_table(self.schema, given.get("table"), self.faults, (*path, "table"))
        if table is None:
            return None
        alias = given.get("as") or table.name
        if not is_name(alias):
            self.faults.error((*path, "as"), "name", f"{shown(alias)} is not a name. {name_rule()}")
            return None
        if alias in self.taken:
            message = f'The record has something named "{alias}" already: give another name with as.'
            self.faults.error((*path, "as"), "taken", message)
            return None
        self.taken.add(alias)
        kind = given.get("type") or "left"
        if kind not in JOIN_TYPES:
            message = f"expected one of {', '.join(JOIN_TYPES)}, got {shown(kind)}"
            self.faults.error((*path, "type"), "value", message)
        match = self._match(given.get("match"), table, (*path, "match"))
        return Join(number, alias, table, match, kind == "inner") if match else None

    def _match(self, match: Any, table: TableDef, path: Path) -> tuple[tuple[FieldDef, FieldDef], ...]:
        if not isinstance(match, Mapping) or not match:
            example = f'such as {{"id": "{table.name}"}}'
            message = f"expected which field of {table.name} holds which field of the record, {example}"
            self.faults.error(path, "required", message)
            return ()
        pairs = []
        own = table.visible(self.public_only)
        for mine, theirs in match.items():
            here = (*path, str(mine))
            left = self._found(own, mine, table.name, here)
            right = self._found(self.met, theirs, self.table.name, here)
            if left is None or right is None:
                continue
            if left.type.is_json or right.type.is_json or left.type.column("x") != right.type.column("x"):
                what = f"{left.name} ({left.type.name}) can't hold {right.name} ({right.type.name})"
                self.faults.error(here, "type", what)
            else:
                pairs.append((left, right))
        return tuple(pairs)

    def _found(self, known: Mapping[str, FieldDef], name: Any, table: str, path: Path) -> FieldDef | None:
        found = known.get(name) if isinstance(name, str) else None
        if found is None:
            message = f"{table} has no field {shown(name)}.{did_you_mean(str(name), known)}"
            self.faults.error(path, "unknown_field", message)
        return found
