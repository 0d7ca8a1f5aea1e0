"""Deleting records and what refers to them: level by level, each step one statement for all of a level.

The rule is the store's and not the database's, so that both databases act alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from stackyard.core.errors import Problem

from . import watching
from .definitions import FieldDef, Schema, TableDef
from .prepared import Prepared
from .query import Query
from .sql import Statement, compiled, sql_type, table_sql, value
from .writing import ids_bound, inside

if TYPE_CHECKING:
    from .store import Store

MOST = 100_000
"""How many records one deletion may take with it."""
BATCH = 2_000
"""How many of a table's records go at a time when all of them go."""


def delete_one(store: Store, table: TableDef, value_: Any, field: str) -> None:
    """Delete the record whose field holds the value. Problem `NOT_FOUND`, or `CONFLICT` when it is held."""
    from .store import bound_key, not_found

    known = store.key_field(table, field)
    key = bound_key(known, value_, store.schema.dialect)
    if key is None:
        raise not_found(table, field, value_)
    if not store.schema.referring.get(table.id) and not watching.is_watched(store, table):
        if not store.execute(_delete_key(store.schema, table, known), {"key": key}):
            raise not_found(table, field, value_)
        return
    with store.transaction():
        rows = store.execute(_lock_key(store.schema, table, known), {"key": key})
        if not rows:
            raise not_found(table, field, value_)
        _Removal(store).remove(table, [row[0] for row in rows])


def delete_many(store: Store, table: TableDef, where: Any, values: Sequence[Any] = ()) -> int:
    """Delete what meets the conditions; how many records of the table they were."""
    with store.transaction():
        query = Query(table.name, where=where, fields=["id"])
        ids = Prepared(store.schema, query).ids(store, MOST + 1, values)
        if len(ids) > MOST:
            raise _too_many()
        _Removal(store).remove(table, ids)
        return len(ids)


def clear(store: Store, table: TableDef) -> int:
    """Delete all records; where nobody refers to them and nobody listens, in one statement."""
    with store.transaction():
        if not store.schema.referring.get(table.id) and not watching.is_watched(store, table):
            count: int = Prepared(store.schema, Query(table.name, return_="count")).run_once(store, ())
            store.execute(_delete_all(store.schema, table), {})
            return count
        done = 0
        prepared = Prepared(store.schema, Query(table.name, fields=["id"]))
        while ids := prepared.ids(store, BATCH):
            removal = _Removal(store, clearing=table.id)
            removal.remove(table, ids)
            done += len(removal.gone[table.id])
        return done


class _Removal:
    """One deletion with everything it takes along."""

    def __init__(self, store: Store, clearing: int | None = None) -> None:
        self.store = store
        # The table of which no record stays: what it says about itself holds nothing.
        self.clearing = clearing
        self.schema = store.schema
        self.gone: dict[int, set[int]] = {}
        self.order: list[tuple[TableDef, list[int]]] = []

    def remove(self, table: TableDef, ids: list[int]) -> None:
        """Find every level first, so that nothing happens where a reference restricts; then do it, deepest first."""
        self._collect(table, ids)
        for level, numbers in self.order:
            self._check_restrictions(level, numbers)
        for level, numbers in self.order:
            for other, field in self.schema.referring.get(level.id, ()):
                if field.on_delete == "set_null":
                    self._empty(other, field, numbers)
        for level, numbers in reversed(self.order):
            gone = (
                watching.by_id(self.store, level, numbers) if watching.is_watched(self.store, level) else {}
            )
            self._run(_delete_ids(self.schema, level), numbers)
            for old in gone.values():
                watching.tell(self.store, level, watching.DELETE, old, None)

    def _empty(self, table: TableDef, field: FieldDef, ids: list[int]) -> None:
        """Set a reference to null where it points to what goes."""
        before: dict[int, Any] = {}
        if watching.is_watched(self.store, table):
            referring = [row[0] for row in self._run(_referring_ids(self.schema, table, field), ids)]
            before = watching.by_id(self.store, table, referring)
        self._run(_set_null(self.schema, table, field), ids)
        for number, new in watching.by_id(self.store, table, before).items():
            watching.tell(self.store, table, watching.EDIT, before[number], new)

    def _run(self, statement: Statement, ids: list[int]) -> list[tuple[Any, ...]]:
        return self.store.execute(statement, {"ids": ids_bound(ids, self.schema.dialect)})

    def _collect(self, table: TableDef, ids: list[int]) -> None:
        """The records that go, level by level; a circle ends where everything is known already."""
        waiting = [(table, ids)]
        while waiting:
            level, found = waiting.pop(0)
            known = self.gone.setdefault(level.id, set())
            new = [number for number in found if number not in known]
            if not new:
                continue
            known.update(new)
            if sum(map(len, self.gone.values())) > MOST:
                raise _too_many()
            self.order.append((level, new))
            for other, field in self.schema.referring.get(level.id, ()):
                if field.on_delete == "cascade":
                    rows = self._run(_referring_ids(self.schema, other, field), new)
                    waiting.append((other, [row[0] for row in rows]))

    def _check_restrictions(self, table: TableDef, ids: list[int]) -> None:
        for other, field in self.schema.referring.get(table.id, ()):
            if field.on_delete != "restrict" or other.id == self.clearing:
                continue
            rows = self._run(_referring_ids(self.schema, other, field), ids)
            held = {row[0] for row in rows} - self.gone.get(other.id, set())
            if held:
                raise Problem(
                    "CONFLICT",
                    f"{len(held):,} records of {other.name} refer to it by {field.name}.",
                    suggestion=f"Delete them, or empty their {field.name}, first.",
                )


def _too_many() -> Problem:
    return Problem(
        "CONFLICT", f"This would delete more than {MOST:,} records.", suggestion="Delete fewer at once."
    )


def _kept(schema: Schema, key: tuple[Any, ...], build: Any) -> Statement:
    made: Statement = schema.statements.make(key, lambda: compiled(build(), schema.dialect))
    return made


def _delete_key(schema: Schema, table: TableDef, field: FieldDef) -> Statement:
    def build() -> Any:
        known = table_sql(schema, table)
        found = known.column(field) == value("key", sql_type(field, schema.dialect))
        return sa.delete(known.sql).where(found).returning(known.sql.c.id)

    return _kept(schema, ("delete", table.id, field.column), build)


def _lock_key(schema: Schema, table: TableDef, field: FieldDef) -> Statement:
    def build() -> Any:
        known = table_sql(schema, table)
        found = known.column(field) == value("key", sql_type(field, schema.dialect))
        return sa.select(known.sql.c.id).where(found).with_for_update()

    return _kept(schema, ("lock", table.id, field.column), build)


def _referring_ids(schema: Schema, table: TableDef, field: FieldDef) -> Statement:
    def build() -> Any:
        known = table_sql(schema, table)
        found = inside(known.column(field), "ids", schema.dialect)
        return (
            sa.select(known.sql.c.id).where(found).limit(sa.literal_column(str(MOST + 1))).with_for_update()
        )

    return _kept(schema, ("referring", table.id, field.column), build)


def _set_null(schema: Schema, table: TableDef, field: FieldDef) -> Statement:
    def build() -> Any:
        known = table_sql(schema, table)
        found = inside(known.column(field), "ids", schema.dialect)
        return sa.update(known.sql).values({field.column: sa.null()}).where(found)

    return _kept(schema, ("set null", table.id, field.column), build)


def _delete_all(schema: Schema, table: TableDef) -> Statement:
    return _kept(schema, ("delete all", table.id), lambda: sa.delete(table_sql(schema, table).sql))


def _delete_ids(schema: Schema, table: TableDef) -> Statement:
    def build() -> Any:
        known = table_sql(schema, table).sql
        return sa.delete(known).where(inside(known.c.id, "ids", schema.dialect))

    return _kept(schema, ("delete ids", table.id), build)
