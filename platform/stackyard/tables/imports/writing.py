"""Putting a checked batch into the table: COPY on PostgreSQL, executemany on SQLite, beneath Django's cursor.

Unique indexes are met with optimism: the batch is written as it is, and only when the database refuses it is looked
up which rows are doubled. Those are refused, the others written. Who watches the table (record triggers) is not told
of imported records, as of none that an import brings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from django.db import connection, transaction
from django.db.utils import Error
from sqlalchemy.dialects import postgresql, sqlite

from stackyard.tables import ddl
from stackyard.tables.bulk import now_bound
from stackyard.tables.conflicts import existing_ids
from stackyard.tables.database import Doubled, explained
from stackyard.tables.definitions import FieldDef, TableDef
from stackyard.tables.records import default_maker
from stackyard.tables.sql import Statement, compiled, sql_type, table_sql, value
from stackyard.tables.store import Store

from .columns import Checked, ColumnReader, shortened
from .rows import Reject

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(slots=True)
class Written:
    """What became of a batch."""

    added: int = 0
    changed: int = 0


class BatchWriter:
    """Writes batches into one table; `key` is the unique field by which records are changed instead of added."""

    def __init__(
        self, store: Store, table: TableDef, readers: Sequence[ColumnReader], key: FieldDef | None
    ) -> None:
        self._store, self._table, self._key = store, table, key
        self._dialect = store.schema.dialect
        self._readers = readers
        self._named = [reader.field for reader in readers]
        self._made = [f for f in table.fields.values() if f not in self._named and _is_made(f)]
        self._lacking = [f.name for f in table.own_fields if _is_lacking(f, self._named)]
        self._fields = [*self._named, *self._made]
        self._insert = _insert_statement(store, table, self._fields, key, self._named)
        self._places = {f.column: place for place, f in enumerate(self._named)}

    def write(self, checked: Checked) -> tuple[Written, list[Reject]]:
        """Write the rows; what was refused on the way too. Called in the transaction of the batch."""
        rejects: list[Reject] = []
        checked = self._with_targets(checked, rejects)
        if self._key is not None:
            return self._change(checked, rejects), rejects
        return Written(added=self._add(checked, rejects)), rejects

    def _with_targets(self, checked: Checked, rejects: list[Reject]) -> Checked:
        """Without the rows that refer to a record which is not there."""
        for place, field in enumerate(self._named):
            if not field.is_reference:
                continue
            wanted = {number for number in checked.columns[place] if number is not None}
            target = self._store.schema.tables_by_id[field.target]
            missing = wanted - existing_ids(self._store, target, wanted, lock=True)
            if missing and target.id == self._table.id and "id" in self._places:
                missing -= set(checked.columns[self._places["id"]])
            if missing:
                reason = f"there is no such record in {target.name}"
                bad = {n for n, number in enumerate(checked.columns[place]) if number in missing}
                checked = self._refuse(checked, dict.fromkeys(bad, (place, reason)), rejects)
        return checked

    def _refuse(self, checked: Checked, bad: Mapping[int, tuple[int, str]], rejects: list[Reject]) -> Checked:
        for row in sorted(bad):
            place, reason = bad[row]
            shown = shortened(str(checked.columns[place][row]))
            rejects.append(Reject(checked.lines[row], self._readers[place].header, shown, reason))
        return checked.without(set(bad))

    # New records

    def _add(self, checked: Checked, rejects: list[Reject]) -> int:
        if not checked.lines:
            return 0
        try:
            with transaction.atomic():
                self._put(checked)
            return len(checked.lines)
        except Doubled as doubled:
            bad = self.taken(checked)
            if bad:
                return self._add(self._refuse(checked, bad, rejects), rejects)
            if len(checked.lines) == 1:
                place = self._place_of(doubled)
                self._refuse(checked, {0: (place, "is taken")}, rejects)
                return 0
        # An index over several fields, or a record that came this moment: halve until the row is found.
        middle = len(checked.lines) // 2
        first, second = set(range(middle)), set(range(middle, len(checked.lines)))
        return self._add(checked.without(second), rejects) + self._add(checked.without(first), rejects)

    def _place_of(self, doubled: Doubled) -> int:
        for index in self._table.unique_indexes:
            if index.name == doubled.index:
                return self._places.get(self._table.fields[index.fields[0][0]].column, 0)
        return next((self._places[column] for column in doubled.columns if column in self._places), 0)

    def taken(self, checked: Checked, above: dict[str, set[Any]] | None = None) -> dict[int, tuple[int, str]]:
        """The rows whose value a unique field has already, in the table or further up in the batch: place and reason.

        `above` carries what the batches before held, by column, where those are not in the table.
        """
        bad: dict[int, tuple[int, str]] = {}
        for place, field in enumerate(self._named):
            if not (field.unique or field.name == "id"):
                continue
            values = checked.columns[place]
            held = self._existing(field, {item for item in values if item is not None})
            seen = set() if above is None else above.setdefault(field.column, set())
            for row, item in enumerate(values):
                if item is None or row in bad:
                    continue
                if item in held:
                    bad[row] = (place, "is taken")
                elif item in seen:
                    bad[row] = (place, "is in a row above already")
                seen.add(item)
        return bad

    def _existing(self, field: FieldDef, values: set[Any]) -> set[Any]:
        """Those values that the table holds, as the file's bound values are."""
        if not values:
            return set()
        statement = _existing_statement(self._store, self._table, field)
        known = list(values)
        bound = orjson.dumps(known).decode() if self._dialect == "sqlite" else known
        texts = {str(row[0]) for row in self._store.execute(statement, {"values": bound})}
        if field.type.name == "decimal" and self._dialect != "sqlite":
            from decimal import Decimal

            numbers = set(map(Decimal, texts))
            return {item for item in known if Decimal(item) in numbers}
        return {item for item in known if str(item) in texts}

    # Records that may be there

    def _change(self, checked: Checked, rejects: list[Reject]) -> Written:
        assert self._key is not None
        place = self._places[self._key.column]
        empty = {
            row: (place, "is empty, and tells the record")
            for row, item in _rows(checked, place)
            if item is None
        }
        checked = self._refuse(checked, empty, rejects) if empty else checked
        keys = checked.columns[place]
        held = self._existing(self._key, set(keys))
        if self._lacking:
            reason = f"there is no such record, and a new one needs {', '.join(self._lacking)}"
            new = {row: (place, reason) for row, item in _rows(checked, place) if item not in held}
            checked = self._refuse(checked, new, rejects) if new else checked
        last = {item: row for row, item in _rows(checked, place)}
        rows = len(checked.lines)
        if len(last) < rows:
            # Of rows with one key the last one counts, as if they came one after another.
            checked = checked.without(set(range(rows)) - set(last.values()))
        added = len(last.keys() - held)
        doubled = self._put_each(checked, rejects)
        return Written(added=max(0, added - doubled), changed=rows - added - max(0, doubled - added))

    def _put_each(self, checked: Checked, rejects: list[Reject]) -> int:
        """Write, and where another unique field refuses, halve; how many rows were refused."""
        if not checked.lines:
            return 0
        try:
            with transaction.atomic():
                self._put(checked)
            return 0
        except Doubled as doubled:
            if len(checked.lines) == 1:
                self._refuse(checked, {0: (self._place_of(doubled), "is taken")}, rejects)
                return 1
        middle = len(checked.lines) // 2
        first, second = set(range(middle)), set(range(middle, len(checked.lines)))
        return self._put_each(checked.without(second), rejects) + self._put_each(
            checked.without(first), rejects
        )

    # The statement itself

    def _put(self, checked: Checked) -> None:
        count = len(checked.lines)
        columns = [*checked.columns, *(_made_values(f, count, self._dialect) for f in self._made)]
        try:
            with connection.wrap_database_errors:
                raw = connection.connection
                if self._dialect == "sqlite":
                    raw.executemany(self._insert.sql, zip(*self._ordered(columns), strict=True))
                else:
                    self._copy(raw, columns)
        except Error as error:
            raise explained(error) from error

    def _ordered(self, columns: Sequence[list[Any]]) -> list[list[Any]]:
        by_name = {f.column: column for f, column in zip(self._fields, columns, strict=True)}
        return [by_name[name] for name in self._insert.order]

    def _copy(self, raw: Any, columns: Sequence[list[Any]]) -> None:
        names = ", ".join(ddl.quoted(f.column) for f in self._fields)
        target = f"{ddl.quoted(self._table.namespace or '')}.{ddl.quoted(self._table.physical)}"
        beside = ddl.quoted(f"{self._table.physical}_import")
        data = copy_text(columns)
        with raw.cursor() as cursor:
            if self._key is not None:
                cursor.execute(
                    f"CREATE TEMP TABLE IF NOT EXISTS {beside} ON COMMIT DROP AS"
                    f" SELECT {names} FROM {target} WITH NO DATA"
                )
                cursor.execute(f"TRUNCATE {beside}")
            into = target if self._key is None else beside
            with cursor.copy(f"COPY {into} ({names}) FROM STDIN") as copy:
                copy.write(data)
            if self._key is not None:
                cursor.execute(self._upsert(names, target, beside))

    def _upsert(self, names: str, target: str, beside: str) -> str:
        assert self._key is not None
        changed = [f for f in self._named if f is not self._key] or [self._key]
        sets = ", ".join(f"{ddl.quoted(f.column)} = excluded.{ddl.quoted(f.column)}" for f in changed)
        return (
            f"INSERT INTO {target} ({names}) SELECT {names} FROM {beside}"
            f" ON CONFLICT ({ddl.quoted(self._key.column)}) DO UPDATE SET {sets}"
        )


def copy_text(columns: Sequence[Sequence[Any]]) -> bytes:
    """Rows as PostgreSQL's COPY reads them in its text format (PostgreSQL manual, COPY, "Text Format")."""
    texts = [_copy_column(column) for column in columns]
    return "".join(["\t".join(row) + "\n" for row in zip(*texts, strict=True)]).encode()


def _copy_column(column: Sequence[Any]) -> Sequence[str]:
    if None in column:
        return ["\\N" if item is None else str(item).translate(_ESCAPES) for item in column]
    texts = column if isinstance(column[0], str) else list(map(str, column))
    joined = "".join(texts)
    if any(sign in joined for sign in "\\\t\n\r"):
        return [text.translate(_ESCAPES) for text in texts]
    return texts


def _rows(checked: Checked, place: int) -> list[tuple[int, Any]]:
    return list(enumerate(checked.columns[place]))


def _is_made(field: FieldDef) -> bool:
    """Whether a field that the file lacks gets a value all the same."""
    return field.name == "created_at" or (not field.is_system and default_maker(field) is not None)


def _is_lacking(field: FieldDef, named: Sequence[FieldDef]) -> bool:
    return field.required and field not in named and default_maker(field) is None


def _made_values(field: FieldDef, count: int, dialect: str) -> list[Any]:
    if field.name == "created_at":
        return [now_bound()] * count
    make = default_maker(field)
    assert make is not None
    if field.type.name == "uuid" and field.default in field.type.default_words:
        return [make() for _ in range(count)]
    return [field.type.bind(field.type.parse(make()), dialect)] * count


def _insert_statement(
    store: Store, table: TableDef, fields: Sequence[FieldDef], key: FieldDef | None, named: Sequence[FieldDef]
) -> Statement:
    """SQLite's INSERT of one row, for executemany."""
    sql = table_sql(store.schema, table).sql
    values = {f.column: value(f.column, sql_type(f, "sqlite")) for f in fields}
    made: Any = sqlite.insert(sql).values(values)
    if key is not None:
        changed = [f for f in named if f is not key] or [key]
        new = {f.column: made.excluded[f.column] for f in changed}
        made = made.on_conflict_do_update(index_elements=[sql.c[key.column]], set_=new)
    return compiled(made, "sqlite")


def _existing_statement(store: Store, table: TableDef, field: FieldDef) -> Statement:
    known = table_sql(store.schema, table)
    column, type_ = known.column(field), sql_type(field, store.schema.dialect)
    if store.schema.dialect == "sqlite":
        items = sa.func.json_each(value("values", sa.Text())).table_valued("value", name="given")
        return compiled(sa.select(column).where(column.in_(sa.select(items.c.value))), "sqlite")
    array = postgresql.ARRAY(type_)
    found = column == sa.func.any(sa.cast(value("values", array), array))
    return compiled(sa.select(column).where(found), "postgresql")
