"""The statements that write: built once per shape, kept with the schema.

A reference is checked by the statement itself (`… WHERE EXISTS (SELECT … FOR KEY SHARE)`), so a record
can't come to point at one that is being deleted, and a write stays one round trip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from .definitions import FieldDef, Schema, TableDef
from .sql import Element, Statement, column_type, compiled, sql_type, table_sql, value


def _kept(schema: Schema, key: tuple[Any, ...], build: Any) -> Statement:
    made: Statement = schema.statements.make(key, lambda: compiled(build(), schema.dialect))
    return made


def _targets(schema: Schema, table: TableDef, references: Iterable[str]) -> Element:
    """That the record each reference points at exists, and stays until this transaction ends."""
    by_column = {f.column: f for f in table.references}
    checks = []
    for column in references:
        target = table_sql(schema, schema.tables_by_id[by_column[column].target]).sql.alias(f"to_{column}")
        found: Any = sa.select(sa.literal_column("1")).select_from(target)
        found = found.where(target.c.id == value(column, sa.BigInteger()))
        checks.append(sa.exists(found.with_for_update(read=True, key_share=True)))
    return sa.and_(sa.true(), *checks)


def _types(schema: Schema, table: TableDef) -> dict[str, Any]:
    return {name: column_type(kind, schema.dialect) for name, kind in table.column_types.items()}


def insert(schema: Schema, table: TableDef, columns: Sequence[str], references: Sequence[str]) -> Statement:
    """INSERT of one record with the public fields returned; nothing is returned when a reference misses."""

    def build() -> Element:
        made, _ = _insert(schema, table, columns, references)
        return made.returning(*table_sql(schema, table).columns(table.public_fields))

    return _kept(schema, ("insert", table.id, tuple(columns), tuple(references)), build)


def _insert(
    schema: Schema, table: TableDef, columns: Sequence[str], references: Sequence[str]
) -> tuple[Any, sa.Table]:
    sql = table_sql(schema, table).sql
    types = _types(schema, table)
    values = [value(column, types[column]) for column in columns]
    insert_for = postgresql.insert if schema.dialect == "postgresql" else sqlite.insert
    given = sa.select(*values).where(_targets(schema, table, references))
    return insert_for(sql).from_select(list(columns), given), sql


def upsert(
    schema: Schema,
    table: TableDef,
    columns: Sequence[str],
    references: Sequence[str],
    field: FieldDef,
    changed: Sequence[str],
) -> Statement:
    """INSERT that changes the columns of `changed` instead where the unique field's value is there already."""

    def build() -> Element:
        made, sql = _insert(schema, table, columns, references)
        new = {column: made.excluded[column] for column in changed} or {
            field.column: made.excluded[field.column]
        }
        made = made.on_conflict_do_update(index_elements=[sql.c[field.column]], set_=new)
        return made.returning(*table_sql(schema, table).columns(table.public_fields))

    key = ("upsert", table.id, tuple(columns), tuple(references), field.column, tuple(changed))
    return _kept(schema, key, build)


def update(
    schema: Schema, table: TableDef, columns: Sequence[str], references: Sequence[str], field: FieldDef
) -> Statement:
    """UPDATE of the record whose `field` holds the bind `key`, with the public fields returned."""

    def build() -> Element:
        known = table_sql(schema, table)
        types = _types(schema, table)
        # A change of nothing still has to find the record.
        new = {column: value(column, types[column]) for column in columns} or {"id": known.sql.c.id}
        found = known.column(field) == value("key", sql_type(field, schema.dialect))
        made = sa.update(known.sql).values(new).where(found, _targets(schema, table, references))
        return made.returning(*known.columns(table.public_fields))

    return _kept(schema, ("update", table.id, tuple(columns), tuple(references), field.column), build)


def insert_many(schema: Schema, table: TableDef, columns: Sequence[str]) -> Statement:
    """INSERT of any number of records in one text: columns as arrays, or one JSON list on SQLite."""

    def build() -> Element:
        known = table_sql(schema, table)
        types = _types(schema, table)
        if schema.dialect == "sqlite":
            rows = sa.func.json_each(value("rows", sa.Text())).table_valued("key", "value", name="rows")
            taken = [sa.func.json_extract(rows.c.value, f"$[{n}]") for n in range(len(columns))]
            given = sa.select(*taken).select_from(rows).order_by(rows.c.key)
            made: Any = sqlite.insert(known.sql)
        else:
            arrays = [_array(column, types[column]) for column in columns]
            names = [f"v{n}" for n in range(len(columns))]
            rows = sa.func.unnest(*arrays).table_valued(*names, name="rows").render_derived()
            given = sa.select(*(rows.c[name] for name in names)).select_from(rows)
            made = postgresql.insert(known.sql)
        made = made.from_select(list(columns), given)
        return made.returning(*known.columns(table.public_fields))

    return _kept(schema, ("insert many", table.id, tuple(columns)), build)


def _array(column: str, type_: Any) -> Element:
    array = postgresql.ARRAY(type_)
    return sa.cast(value(column, postgresql.ARRAY(sa.Text()) if _is_json(type_) else array), array)


def _is_json(type_: Any) -> bool:
    return isinstance(type_, postgresql.JSONB)


def lookup(schema: Schema, table: TableDef, field: FieldDef, fields: Sequence[FieldDef]) -> Statement:
    """SELECT of the first record whose `field` holds the bind `key`."""

    def build() -> Element:
        known = table_sql(schema, table)
        found = known.column(field) == value("key", sql_type(field, schema.dialect))
        select = sa.select(*known.columns(fields)).where(found)
        if field.name == "id" or field.unique:
            return select
        return select.order_by(known.sql.c.id).limit(sa.literal_column("1"))

    return _kept(schema, ("lookup", table.id, field.column, tuple(f.column for f in fields)), build)


def existing(schema: Schema, table: TableDef, lock: bool) -> Statement:
    """SELECT of those ids out of the list `ids` that exist; `lock` keeps them from being deleted."""

    def build() -> Element:
        known = table_sql(schema, table).sql
        select = sa.select(known.c.id).where(inside(known.c.id, "ids", schema.dialect))
        return select.with_for_update(read=True, key_share=True) if lock else select

    return _kept(schema, ("existing", table.id, lock), build)


def dangling(schema: Schema, table: TableDef, field: FieldDef) -> Statement:
    """SELECT of the first `limit` records whose reference leads nowhere: their ids and the ids it names."""

    def build() -> Element:
        known = table_sql(schema, table).sql
        target = table_sql(schema, schema.tables_by_id[field.target]).sql.alias("target")
        column = known.c[field.column]
        missing = ~sa.exists(sa.select(sa.literal_column("1")).where(target.c.id == column))
        select = sa.select(known.c.id, column).where(column.is_not(None), missing)
        return select.order_by(known.c.id).limit(value("limit", sa.BigInteger()))

    return _kept(schema, ("dangling", table.id, field.column), build)


def inside(column: Element, name: str, dialect: str) -> Element:
    """That a column holds one of a list of ids, bound as one value."""
    if dialect == "sqlite":
        items = sa.func.json_each(value(name, sa.Text())).table_valued("value", name=f"{name}_items")
        return column.in_(sa.select(items.c.value))
    array = postgresql.ARRAY(sa.BigInteger())
    return column == sa.func.any(sa.cast(value(name, array), array))


def ids_bound(ids: Iterable[int], dialect: str) -> Any:
    """A list of ids as the one bind of `inside`."""
    return list(ids) if dialect == "postgresql" else f"[{','.join(map(str, ids))}]"


def columns_of(bound: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns of a reading in one order, so that a shape has one statement."""
    return tuple(sorted(bound))
