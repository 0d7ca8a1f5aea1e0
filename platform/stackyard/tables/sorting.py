"""The order of records: `-created_at,name`, `["-created_at", "name"]`, or `random`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stackyard.core.errors import Faults, Path, did_you_mean

from .definitions import FieldDef, TableDef
from .field_type import shown
from .operands import Slot, holds_slot

MOST = 8


@dataclass(frozen=True)
class Sort:
    """(field, descending) pairs that end with `id`, so that the order is total; or random; or still open."""

    parts: tuple[tuple[FieldDef, bool], ...] = ()
    is_random: bool = False
    source: Any = None

    @property
    def is_open(self) -> bool:
        """Whether it comes at run time."""
        return self.source is not None

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What the statement's text depends on."""
        return ("random",) if self.is_random else tuple((f.column, down) for f, down in self.parts)


def read_sort(table: TableDef, sort: Any, public_only: bool, faults: Faults, path: Path) -> Sort:
    """Read an order; with a slot in it, it stays open until `at_run_time`."""
    if holds_slot(sort):
        return Sort(source=sort)
    if sort == "random":
        return Sort(is_random=True)
    names = _names(sort)
    if names is None or not all(isinstance(name, str) for name in names):
        faults.error(path, "type", f'expected names such as ["-created_at", "name"], got {shown(sort)}')
        names = []
    if len(names) > MOST:
        faults.error(path, "range", f"A sort has at most {MOST} fields.")
    known = table.visible(public_only)
    parts: dict[str, tuple[FieldDef, bool]] = {}
    for position, text in enumerate(names):
        found = _part(table, text, known, faults, (*path, position))
        if found is not None:
            parts.setdefault(found.name, (found, text.startswith("-")))
    down = next(reversed(parts.values()))[1] if parts else False
    for key in table.keys:
        parts.setdefault(key, (table.fields[key], down))
    ordered = list(parts.values())
    # What follows the last of the keys can't change an order that they have settled.
    last = max(n for n, (f, _) in enumerate(ordered) if f.name in table.keys)
    return Sort(tuple(ordered[: last + 1]))


def at_run_time(table: TableDef, given: Any, public_only: bool, faults: Faults, path: Path) -> Sort:
    """The order of an open sort, now that its source is filled with values. Null is no order at all."""
    if isinstance(given, list):
        given = [name for name in given if name is not None]
        if len(given) == 1 and isinstance(given[0], str):
            given = given[0]
    return read_sort(table, given or (), public_only, faults, path)


def _names(sort: Any) -> list[Any] | None:
    if isinstance(sort, str):
        return [name.strip() for name in sort.split(",") if name.strip()]
    return list(sort) if isinstance(sort, list | tuple) and not isinstance(sort, Slot) else None


def _part(
    table: TableDef, text: str, known: Mapping[str, FieldDef], faults: Faults, path: Path
) -> FieldDef | None:
    name = text.removeprefix("-")
    found = known.get(name)
    if found is None:
        faults.error(path, "unknown_field", f'{table.name} has no field "{name}".{did_you_mean(name, known)}')
    elif found.type.is_json:
        faults.error(path, "type", f"{name} is a {found.type.name}, which has no order.")
        return None
    return found
