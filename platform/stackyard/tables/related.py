"""Addons as they are asked for: related records of each record found, level by level, with their names looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import Faults, Path, did_you_mean
from stackyard.core.names import is_name, name_rule

from .definitions import FieldDef, Schema, TableDef
from .field_type import shown
from .operands import holds_slot
from .sorting import Sort, read_sort

RETURNS = ("list", "single", "count", "exists")
DEEPEST = 10


@dataclass(slots=True)
class ResolvedAddon:
    """An addon whose names were found. `match` are (field of the addon's table, field of the parent)."""

    table: TableDef
    match: tuple[tuple[FieldDef, FieldDef], ...]
    name: str
    return_: str
    fields: tuple[FieldDef, ...]
    sort: Sort
    addons: tuple[ResolvedAddon, ...]
    type: t.Type


def find_table(schema: Schema, name: Any, faults: Faults, path: Path) -> TableDef | None:
    """A table by name; a fault that proposes the nearest, and None, when there is none."""
    if not isinstance(name, str):
        faults.error(path, "type", f"expected the name of a table, got {shown(name)}")
        return None
    found = schema.tables.get(name)
    if found is None:
        hint = did_you_mean(name, schema.tables)
        faults.error(path, "unknown_table", f'There is no table "{name}".{hint}')
    return found


def find_fields(
    table: TableDef, names: Any, public_only: bool, faults: Faults, path: Path
) -> tuple[FieldDef, ...]:
    """Fields by name, the public ones when no names are given. The name of a join stands for all its public fields."""
    if names is None:
        return table.public_fields
    if not isinstance(names, list | tuple) or not names:
        faults.error(path, "type", "expected a list of field names")
        return table.public_fields
    found: dict[str, FieldDef] = {}
    known = table.visible(public_only)
    for position, name in enumerate(names):
        match = [known[name]] if isinstance(name, str) and name in known else table.group_of(name)
        if not match:
            message = f"{table.name} has no field {shown(name)}.{did_you_mean(str(name), known)}"
            faults.error((*path, position), "unknown_field", message)
        found.update((field.name, field) for field in match)
    return tuple(found.values())


def record_type(fields: Sequence[FieldDef], addons: Sequence[ResolvedAddon]) -> t.Type:
    """The type of a record of these fields with what the addons add."""
    return t.object_of({**{f.name: f.value_type for f in fields}, **{a.name: a.type for a in addons}})


_ADDON_KEYS = ("table", "match", "as", "return", "fields", "sort", "addons")


class AddonReader:
    """Reads the levels of addons beneath a query."""

    def __init__(self, schema: Schema, public_only: bool, faults: Faults) -> None:
        self.schema = schema
        self.public_only = public_only
        self.faults = faults

    def read(
        self, addons: Any, parent: TableDef, fields: Sequence[FieldDef], path: Path, depth: int
    ) -> tuple[ResolvedAddon, ...]:
        """One level, and those beneath it."""
        if not isinstance(addons, list | tuple):
            self.faults.error(path, "type", f"expected a list of addons, got {shown(addons)}")
            return ()
        if depth > DEEPEST and addons:
            self.faults.error(path, "depth", f"Addons nest at most {DEEPEST} levels deep.")
            return ()
        taken = {f.name for f in fields}
        found = []
        for position, addon in enumerate(addons):
            made = self._addon(addon, parent, (*path, position), depth)
            if made is None:
                continue
            if made.name in taken:
                message = f'The record has something named "{made.name}" already: give another name with as.'
                self.faults.error((*path, position, "as"), "taken", message)
            taken.add(made.name)
            found.append(made)
        return tuple(found)

    def _addon(self, addon: Any, parent: TableDef, path: Path, depth: int) -> ResolvedAddon | None:
        if not isinstance(addon, Mapping):
            self.faults.error(path, "type", f"expected an addon, got {shown(addon)}")
            return None
        for key in addon:
            if key not in _ADDON_KEYS:
                hint = did_you_mean(str(key), _ADDON_KEYS)
                self.faults.error((*path, str(key)), "unknown_key", f'An addon has no "{key}".{hint}')
        table = find_table(self.schema, addon.get("table"), self.faults, (*path, "table"))
        if table is None:
            return None
        name = addon.get("as") or table.name
        if not is_name(name):
            self.faults.error((*path, "as"), "name", f"{shown(name)} is not a name. {name_rule()}")
        return_ = addon.get("return") or "list"
        if return_ not in RETURNS:
            message = f"expected one of {', '.join(RETURNS)}, got {shown(return_)}"
            self.faults.error((*path, "return"), "value", message)
            return_ = "list"
        return self._resolved(addon, table, parent, str(name), return_, path, depth)

    def _resolved(
        self,
        addon: Mapping[str, Any],
        table: TableDef,
        parent: TableDef,
        name: str,
        return_: str,
        path: Path,
        depth: int,
    ) -> ResolvedAddon:
        match = self._match(addon.get("match"), table, parent, (*path, "match"))
        fields = find_fields(table, addon.get("fields"), self.public_only, self.faults, (*path, "fields"))
        if holds_slot(addon.get("sort")):
            self.faults.error((*path, "sort"), "value", "The sort of an addon must be written out.")
        sort = read_sort(table, addon.get("sort") or (), self.public_only, self.faults, (*path, "sort"))
        if sort.is_random:
            self.faults.error((*path, "sort"), "value", "An addon can't be sorted at random.")
        below = self.read(addon.get("addons") or (), table, fields, (*path, "addons"), depth + 1)
        if below and return_ not in ("list", "single"):
            self.faults.error((*path, "addons"), "value", f"return: {return_} gives no records to add to")
        record = record_type(fields, below)
        type_ = {"single": record.or_null(), "count": t.INT, "exists": t.BOOL}.get(return_, t.list_of(record))
        return ResolvedAddon(table, match, name, return_, fields, sort, below, type_)

    def _match(
        self, match: Any, table: TableDef, parent: TableDef, path: Path
    ) -> tuple[tuple[FieldDef, FieldDef], ...]:
        if not isinstance(match, Mapping) or not match:
            self.faults.error(
                path,
                "required",
                f"expected which field of {table.name} holds which field of "
                f'{parent.name}, such as {{"customer": "id"}}',
            )
            return ()
        pairs = []
        for mine, theirs in match.items():
            here = (*path, str(mine))
            left, right = self._side(table, mine, here), self._side(parent, theirs, here)
            if left is None or right is None:
                continue
            if left.type.is_json or left.type.value_type.name != right.type.value_type.name:
                what = f"{left.name} ({left.type.name}) can't hold {right.name} ({right.type.name})"
                self.faults.error(here, "type", what)
            else:
                pairs.append((left, right))
        return tuple(pairs)

    def _side(self, table: TableDef, name: Any, path: Path) -> FieldDef | None:
        known = table.visible(self.public_only)
        found = known.get(name) if isinstance(name, str) else None
        if found is None:
            message = f"{table.name} has no field {shown(name)}.{did_you_mean(str(name), known)}"
            self.faults.error(path, "unknown_field", message)
        return found
