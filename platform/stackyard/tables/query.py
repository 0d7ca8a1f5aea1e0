"""Queries: what is asked of one table, checked against the schema. Knows no models and no database.

The same `Query` serves function stacks, lambdas, the management API and the console. Any operand, and the
parts that say so, may be a `Slot` for a value that comes when the query runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import Faults, Path
from stackyard.core.limits import PAGE_RECORDS

from .aggregates import Aggregation, read_aggregation
from .definitions import FieldDef, Schema, TableDef
from .field_type import shown
from .operands import Operand, Slot
from .related import AddonReader, ResolvedAddon, find_fields, find_table, record_type
from .sorting import Sort, read_sort
from .sources import Source, read_source
from .where import Node, WhereReader

__all__ = ["Query", "Resolved", "Slot", "check_query", "resolve"]

RETURNS = ("list", "single", "count", "exists", "aggregate")
TOTALS = (False, True, "capped")
PER_PAGE = 20
LAST_PAGE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Query:
    """One question to one table (language.md, query_all_records).

    `sort`: names with `-` for descending, as a list or as `"a,-b"`, or `"random"`. `cursor`: `""` or null
    asks for the first page by cursor, None means no cursor at all. `totals`: false, true, `"capped"`.
    `addons`: `[{"table", "match": {"customer": "id"}, "as", "return", "fields", "sort", "addons"}]`.
    `join`: `[{"table", "as", "match": {"id": "customer"}, "type": "left"}]`, `computed`: `{name: expression}`,
    `group_by` and `aggregate` as `aggregates` has them; with either, `return_` may be left a list.
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
    join: Sequence[Mapping[str, Any]] = ()
    computed: Mapping[str, str] | None = None
    group_by: Any = ()
    aggregate: Mapping[str, Any] | None = None

    @property
    def is_aggregate(self) -> bool:
        """Whether records are put together."""
        return self.return_ == "aggregate" or (
            self.return_ == "list" and (bool(self.group_by) or bool(self.aggregate))
        )

    @property
    def is_paged(self) -> bool:
        """Whether the answer is the envelope of a page."""
        return not (self.page is None and self.per_page is None and self.cursor is None)


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
    aggregation: Aggregation | None = None
    type: t.Type = field(default=t.ANY)

    @property
    def sorted_table(self) -> TableDef:
        """What the sort speaks of: the table, or the aggregated records."""
        return self.table if self.aggregation is None else self.aggregation.table(self.table)


def check_query(schema: Schema, query: Query, faults: Faults, path: Path = ()) -> t.Type:
    """The type of the query's result; every fault is added to `faults` with a path under `path`."""
    resolved = resolve(schema, query, faults, path)
    return t.ANY if resolved is None else resolved.type


def resolve(schema: Schema, query: Query, faults: Faults, path: Path = ()) -> Resolved | None:
    """Find every name and read every literal; None when the table is not there."""
    plain = find_table(schema, query.table, faults, (*path, "table"))
    _check_shape(query, faults, path)
    if plain is None:
        return None
    table = read_source(schema, plain, query.join, query.computed, query.public_only, faults, path)
    where = WhereReader(table, schema.dialect, faults, query.public_only)
    node = where.read(query.where, (*path, "where"))
    if query.is_aggregate:
        resolved = _aggregated(query, table, node, where.operands, faults, path)
    else:
        fields = find_fields(table, query.fields, query.public_only, faults, (*path, "fields"))
        sort = read_sort(table, query.sort, query.public_only, faults, (*path, "sort"))
        levels = AddonReader(schema, query.public_only, faults)
        addons = levels.read(query.addons, table, fields, (*path, "addons"), 1)
        resolved = Resolved(query, table, fields, node, where.operands, sort, addons)
    if query.cursor is not None and resolved.sort.is_random:
        faults.error((*path, "cursor"), "value", "A random order has no pages to go on from.")
    resolved.type = _result_type(resolved)
    return resolved


def _aggregated(
    query: Query, table: TableDef, node: Node | None, operands: list[Operand], faults: Faults, path: Path
) -> Resolved:
    """A query for aggregates: its order is one of the aggregated records."""
    for name in ("fields", "addons", "cursor"):
        if getattr(query, name) not in (None, (), []):
            faults.error((*path, name), "value", f"{name} is for records, not for aggregates")
    aggregation = read_aggregation(table, query.group_by, query.aggregate, query.public_only, faults, path)
    resolved = Resolved(query, table, (), node, operands, Sort(), (), aggregation)
    if aggregation.groups:
        resolved.sort = read_sort(resolved.sorted_table, query.sort, False, faults, (*path, "sort"))
    elif query.sort or query.is_paged:
        part = "sort" if query.sort else "page"
        faults.error((*path, part), "value", f"{part} is for groups: without group_by there is one record")
    return resolved


def _check_shape(query: Query, faults: Faults, path: Path) -> None:
    """Faults of the parts that need no table."""
    if query.return_ not in RETURNS:
        message = f"expected one of {', '.join(RETURNS)}, got {shown(query.return_)}"
        faults.error((*path, "return"), "value", message)
    for name in ("page", "per_page", "offset", "cursor", "totals"):
        given = getattr(query, name)
        if given is not None and given is not False and query.return_ in RETURNS[1:4]:
            faults.error((*path, name), "value", f"{name} is for lists, not for return: {query.return_}")
    if query.cursor is not None and (query.page is not None or query.offset is not None):
        faults.error((*path, "cursor"), "value", "cursor stands instead of page and offset")
    if query.totals not in (None, *TOTALS) and not isinstance(query.totals, Slot):
        faults.error((*path, "totals"), "value", f"expected false, true or capped, got {shown(query.totals)}")
    if query.lock and (query.is_aggregate or query.return_ not in ("list", "single")):
        faults.error((*path, "lock"), "value", f"lock is for records, not for {_word(query)}")
    if (query.group_by or query.aggregate) and query.return_ not in ("list", "aggregate"):
        message = f"group_by and aggregate give aggregates, not return: {query.return_}"
        faults.error((*path, "return"), "value", message)
    if query.cursor is not None and not isinstance(query.cursor, str | Slot):
        faults.error((*path, "cursor"), "type", f"expected text, got {shown(query.cursor)}")
    for name in ("page", "per_page", "offset"):
        read_number(name, getattr(query, name), faults, (*path, name))


def _word(query: Query) -> str:
    return "aggregates" if query.is_aggregate else f"return: {query.return_}"


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


def _result_type(resolved: Resolved) -> t.Type:
    query = resolved.query
    if resolved.aggregation is not None:
        group = resolved.aggregation.record_type
        if not resolved.aggregation.groups:
            return group
        return _page_type(query, group) if query.is_paged else t.list_of(group)
    record = record_type(resolved.fields, resolved.addons)
    if isinstance(resolved.table, Source) and record.fields is not None:
        record = t.object_of(resolved.table.nested_types(record.fields))
    match query.return_:
        case "single":
            return record.or_null()
        case "count":
            return t.INT
        case "exists":
            return t.BOOL
        case _:
            return _page_type(query, record) if query.is_paged else t.list_of(record)


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
