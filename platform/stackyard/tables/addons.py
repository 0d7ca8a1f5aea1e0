"""Addons: related records, one query a level for all records of the level above (data.md §1.2)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from stackyard.core.errors import Problem
from stackyard.core.limits import LIST_RECORDS

from .definitions import FieldDef, Schema
from .related import ResolvedAddon
from .rows import RowLoader
from .sql import Element, Statement, TableSql, compiled, table_sql, value

if TYPE_CHECKING:
    from .store import Store

Key = tuple[Any, ...]
_NOTHING: Mapping[str, Any] = {"single": None, "count": 0, "exists": False}


def attach(
    store: Store,
    schema: Schema,
    addons: Sequence[ResolvedAddon],
    columns: Sequence[FieldDef],
    rows: Sequence[Sequence[Any]],
    records: Sequence[dict[str, Any]],
) -> None:
    """Put each addon's result into the records; `rows` hold their raw values by `columns`.

    Records that share a parent's match share the result itself: treat results as values.
    """
    for addon in addons:
        places = [columns.index(theirs) for _, theirs in addon.match]
        keys: list[Key] = [tuple(row[place] for place in places) for row in rows]
        found = _fetch(store, schema, addon, set(keys))
        for record, key in zip(records, keys, strict=True):
            if key in found:
                record[addon.name] = found[key]
            else:
                record[addon.name] = _NOTHING.get(addon.return_) if addon.return_ != "list" else []


def _fetch(store: Store, schema: Schema, addon: ResolvedAddon, keys: set[Key]) -> dict[Key, Any]:
    """The results by match values. Several matches are asked for one by one and met here."""
    present = [key for key in keys if None not in key]
    if not present:
        return {}
    binds: dict[str, Any] = {
        f"m{n}": _bound(list({key[n] for key in present}), schema.dialect) for n in range(len(addon.match))
    }
    rows = store.execute(_statement(schema, addon), {**binds, "limit": LIST_RECORDS.default + 1})
    if len(rows) > LIST_RECORDS.default:
        raise Problem(
            "RESULT_TOO_LARGE",
            f"The addon {addon.name} would add more than {LIST_RECORDS.default:,} records.",
            status=422,
            suggestion="Ask for smaller pages, or let the addon return single or count.",
        )
    width = len(addon.match)
    if addon.return_ in ("count", "exists"):
        return {tuple(row[:width]): row[width] if addon.return_ == "count" else True for row in rows}
    return _grouped(store, schema, addon, rows, width)


def _grouped(
    store: Store, schema: Schema, addon: ResolvedAddon, rows: Sequence[Sequence[Any]], width: int
) -> dict[Key, Any]:
    columns = _columns(addon)
    shown = [row[width:] for row in rows]
    records = RowLoader(addon.fields, schema.dialect).load(shown)
    if addon.addons and records:
        attach(store, schema, addon.addons, columns, shown, records)
    found: dict[Key, Any] = {}
    for row, record in zip(rows, records, strict=True):
        key = tuple(row[:width])
        if addon.return_ == "single":
            found.setdefault(key, record)
        else:
            found.setdefault(key, []).append(record)
    return found


def _bound(values: list[Any], dialect: str) -> Any:
    """Raw values of the driver as the one bind of a list."""
    if dialect != "sqlite":
        return values
    return json.dumps([float(v) if isinstance(v, Decimal) else v for v in values], ensure_ascii=False)


def _columns(addon: ResolvedAddon) -> tuple[FieldDef, ...]:
    below = [theirs for deeper in addon.addons for _, theirs in deeper.match]
    return tuple(dict.fromkeys((*addon.fields, *below)))


def _statement(schema: Schema, addon: ResolvedAddon) -> Statement:
    key = (
        "addon",
        addon.table.id,
        addon.return_,
        tuple((mine.column, theirs.column) for mine, theirs in addon.match),
        tuple(f.column for f in _columns(addon)),
        addon.sort.key,
    )
    made: Statement = schema.statements.make(key, lambda: compiled(_select(schema, addon), schema.dialect))
    return made


def _select(schema: Schema, addon: ResolvedAddon) -> Element:
    table = table_sql(schema, addon.table)
    match = [table.column(mine) for mine, _ in addon.match]
    conditions = [_inside(column, f"m{n}", schema.dialect) for n, column in enumerate(match)]
    limit = value("limit", sa.BigInteger())
    if addon.return_ == "count":
        counted = sa.select(*match, sa.func.count()).select_from(table.sql)
        return counted.where(*conditions).group_by(*match).limit(limit)
    if addon.return_ == "exists":
        return sa.select(*match).select_from(table.sql).where(*conditions).distinct().limit(limit)
    order = [table.order(f, down) for f, down in addon.sort.parts]
    columns = table.columns(_columns(addon))
    if addon.return_ == "single":
        return _first(table, match, columns, conditions, order).limit(limit)
    selected = sa.select(*match, *columns).select_from(table.sql).where(*conditions)
    return selected.order_by(*order).limit(limit)


def _first(
    table: TableSql,
    match: list[Element],
    columns: list[Element],
    conditions: list[Element],
    order: list[Element],
) -> Element:
    """The first record of each parent, by a window; the database sends no others."""
    place = sa.func.row_number().over(partition_by=match, order_by=order).label("place")
    wanted = [column.label(f"w{n}") for n, column in enumerate((*match, *columns))]
    ranked = sa.select(*wanted, place).select_from(table.sql).where(*conditions).subquery("ranked")
    return sa.select(*(ranked.c[f"w{n}"] for n in range(len(wanted)))).where(ranked.c.place == sa.literal(1))


def _inside(column: Element, name: str, dialect: str) -> Element:
    if dialect == "sqlite":
        items = sa.func.json_each(value(name, sa.Text())).table_valued("value", name=f"{name}_items")
        return column.in_(sa.select(items.c.value))
    array = postgresql.ARRAY(column.type)
    return column == sa.func.any(sa.cast(value(name, array), array))
