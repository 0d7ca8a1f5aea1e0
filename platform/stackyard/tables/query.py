"""Queries: what is asked of one table, checked against the schema. Knows no models and no database.

The same `Query` serves function stacks, lambdas, the management API and the console. Any operand, and the
parts that say so, may be a `Slot` for a value that comes when the query runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import Faults, Path, did_you_mean
from stackyard.core.limits import PAGE_RECORDS
from stackyard.core.names import is_name, name_rule

from .definitions import FieldDef, Schema, TableDef
from .field_type import shown
from .operands import Operand, Slot, holds_slot
from .sorting import Sort, read_sort
from .where import Node, WhereReader

__all__ = ["Query", "Resolved", "ResolvedAddon", "Slot", "check_query", "resolve"]

RETURNS = ("list", "single", "count", "exists")
TOTALS = (False, True, "capped")
ADDON_DEPTH = 10
PER_PAGE = 20
LAST_PAGE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Query:
    """One question to one table (language.md, query_all_records).

    `sort`: names with `-` for descending, as a list or as `"a,-b"`, or `"random"`. `cursor`: `""` or null
    asks for the first page by cursor, None means no cursor at all. `totals`: false, true, `"capped"`.
    `addons`: `[{"table", "match": {"customer": "id"}, "as", "return", "fields", "sort", "addons"}]`.
    `public_only` refuses private and internal fields anywhere: for what callers send.
    """

    table: str
    where: Any = None
    sort: Any = ()
    return_: str = "list"
    page: Any = None
    per_page: Any = None
    offset: Any = None
    cursor: Any = None
    totals: Any = False
    fields: Sequence[str] | None = None
    addons: Sequence[Mapping[str, Any]] = ()
    lock: bool = False
    public_only: bool = False

    @property
    def is_paged(self) -> bool:
        """Whether the answer is the envelope of a page."""
        return not (self.page is None and self.per_page is None and self.cursor is None)


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


@dataclass(slots=True)
class Resolved:
    """A query whose names were found and whose literals were read."""

    query: Query
    table: TableDef
    fields: tuple[FieldDef, ...]
    node: Node | None
    operands: list[Operand]
    sort: Sort
    addons: tuple[ResolvedAddon, ...]
    type: t.Type = field(default=t.ANY)


def check_query(schema: Schema, query: Query, faults: Faults, path: Path = ()) -> t.Type:
    """The type of the query's result; every fault is added to `faults` with a path under `path`."""
    resolved = resolve(schema, query, faults, path)
    return t.ANY if resolved is None else resolved.type


def resolve(schema: Schema, query: Query, faults: Faults, path: Path = ()) -> Resolved | None:
    """Find every name and read every literal; None when the table is not there."""
    table = _table(schema, query.table, faults, (*path, "table"))
    _check_shape(query, faults, path)
    if table is None:
        return None
    where = WhereReader(table, schema.dialect, faults, query.public_only)
    node = where.read(query.where, (*path, "where"))
    sort = read_sort(table, query.sort, query.public_only, faults, (*path, "sort"))
    fields = _fields(table, query.fields, query.public_only, faults, (*path, "fields"))
    if query.cursor is not None and sort.is_random:
        faults.error((*path, "cursor"), "value", "A random order has no pages to go on from.")
    levels = _Addons(schema, query.public_only, faults)
    addons = levels.read(query.addons, table, fields, (*path, "addons"), 1)
    resolved = Resolved(query, table, fields, node, where.operands, sort, addons)
    resolved.type = _result_type(resolved)
    return resolved


def _table(schema: Schema, name: Any, faults: Faults, path: Path) -> TableDef | None:
    if not isinstance(name, str):
        faults.error(path, "type", f"expected the name of a table, got {shown(name)}")
        return None
    found = schema.tables.get(name)
    if found is None:
        hint = did_you_mean(name, schema.tables)
        faults.error(path, "unknown_table", f'There is no table "{name}".{hint}')
    return found


def _check_shape(query: Query, faults: Faults, path: Path) -> None:
    """Faults of the parts that need no table."""
    if query.return_ not in RETURNS:
        message = f"expected one of {', '.join(RETURNS)}, got {shown(query.return_)}"
        faults.error((*path, "return"), "value", message)
    for name in ("page", "per_page", "offset", "cursor", "totals"):
        given = getattr(query, name)
        if given is not None and given is not False and query.return_ in RETURNS[1:]:
            faults.error((*path, name), "value", f"{name} is for lists, not for return: {query.return_}")
    if query.cursor is not None and (query.page is not None or query.offset is not None):
        faults.error((*path, "cursor"), "value", "cursor stands instead of page and offset")
    if query.totals not in (None, *TOTALS) and not isinstance(query.totals, Slot):
        faults.error((*path, "totals"), "value", f"expected false, true or capped, got {shown(query.totals)}")
    if query.lock and query.return_ not in ("list", "single"):
        faults.error((*path, "lock"), "value", f"lock is for records, not for return: {query.return_}")
    if query.cursor is not None and not isinstance(query.cursor, str | Slot):
        faults.error((*path, "cursor"), "type", f"expected text, got {shown(query.cursor)}")
    for name in ("page", "per_page", "offset"):
        read_number(name, getattr(query, name), faults, (*path, name))


BOUNDS: Mapping[str, tuple[int, int, int]] = {
    # least, most, and what nothing stands for
    "page": (1, LAST_PAGE, 1),
    "per_page": (1, PAGE_RECORDS.default, PER_PAGE),
    "offset": (0, 2**53, 0),
}


def read_number(name: str, value: Any, faults: Faults, path: Path) -> int:
    """`page`, `per_page` or `offset`, from a literal or a run-time value; null is its default."""
    least, most, default = BOUNDS[name]
    if value is None or isinstance(value, Slot):
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        faults.error(path, "type", f"expected an integer, got {shown(value)}")
    elif not least <= value <= most:
        faults.error(path, "range", f"must be between {least:,} and {most:,}")
    else:
        return value
    return default


def _fields(
    table: TableDef, names: Any, public_only: bool, faults: Faults, path: Path
) -> tuple[FieldDef, ...]:
    if names is None:
        return table.public_fields
    if not isinstance(names, list | tuple) or not names:
        faults.error(path, "type", "expected a list of field names")
        return table.public_fields
    found: dict[str, FieldDef] = {}
    known = {f.name: f for f in table.fields.values() if f.is_public or not public_only}
    for position, name in enumerate(names):
        match = known.get(name) if isinstance(name, str) else None
        if match is None:
            message = f"{table.name} has no field {shown(name)}.{did_you_mean(str(name), known)}"
            faults.error((*path, position), "unknown_field", message)
        else:
            found[match.name] = match
    return tuple(found.values())


def _result_type(resolved: Resolved) -> t.Type:
    query = resolved.query
    record = _record_type(resolved.fields, resolved.addons)
    match query.return_:
        case "single":
            return record.or_null()
        case "count":
            return t.INT
        case "exists":
            return t.BOOL
        case _:
            return _page_type(query, record) if query.is_paged else t.list_of(record)


def _record_type(fields: Sequence[FieldDef], addons: Sequence[ResolvedAddon]) -> t.Type:
    return t.object_of({**{f.name: f.value_type for f in fields}, **{a.name: a.type for a in addons}})


def _page_type(query: Query, record: t.Type) -> t.Type:
    number = t.INT.or_null() if query.cursor is not None else t.INT
    keys: dict[str, t.Type] = {
        "itemsReceived": t.INT,
        "curPage": number,
        "nextPage": t.INT.or_null(),
        "prevPage": t.INT.or_null(),
        "offset": number,
        "perPage": t.INT,
    }
    if query.totals:
        keys |= {"itemsTotal": t.INT, "pageTotal": t.INT}
        if query.totals == "capped" or isinstance(query.totals, Slot):
            keys["itemsTotalCapped"] = t.BOOL
    if query.cursor is not None:
        keys["nextCursor"] = t.TEXT.or_null()
    # With a slot for totals these keys may be missing.
    return t.object_of({**keys, "items": t.list_of(record)}, open=isinstance(query.totals, Slot))


_ADDON_KEYS = ("table", "match", "as", "return", "fields", "sort", "addons")


class _Addons:
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
        if depth > ADDON_DEPTH and addons:
            self.faults.error(path, "depth", f"Addons nest at most {ADDON_DEPTH} levels deep.")
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
        table = _table(self.schema, addon.get("table"), self.faults, (*path, "table"))
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
        fields = _fields(table, addon.get("fields"), self.public_only, self.faults, (*path, "fields"))
        if holds_slot(addon.get("sort")):
            self.faults.error((*path, "sort"), "value", "The sort of an addon must be written out.")
        sort = read_sort(table, addon.get("sort") or (), self.public_only, self.faults, (*path, "sort"))
        if sort.is_random:
            self.faults.error((*path, "sort"), "value", "An addon can't be sorted at random.")
        below = self.read(addon.get("addons") or (), table, fields, (*path, "addons"), depth + 1)
        if below and return_ not in ("list", "single"):
            self.faults.error((*path, "addons"), "value", f"return: {return_} gives no records to add to")
        record = _record_type(fields, below)
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
        known = {f.name: f for f in table.fields.values() if f.is_public or not self.public_only}
        found = known.get(name) if isinstance(name, str) else None
        if found is None:
            message = f"{table.name} has no field {shown(name)}.{did_you_mean(str(name), known)}"
            self.faults.error(path, "unknown_field", message)
        return found
