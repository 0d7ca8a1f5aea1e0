"""Converting: a range of ids at a time in a lock of some milliseconds, and what the queue has noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.utils import Error

from stackyard.core.data_source import LIVE
from stackyard.core.jsonout import encode
from stackyard.tables import ddl
from stackyard.tables.database import execute, explained
from stackyard.tables.field_type import FieldType, Refused, shown
from stackyard.tables.models import Conversion, Table

from .casting import Cast
from .tracking import queue_name

BATCH = 2_000
SHOWN = 1_000
"""How many bad cells a report names."""

Rows = list[tuple[Any, ...]]


@dataclass(slots=True)
class Counts:
    """What became of the cells so far, as a run keeps it. `bad` are `[id, value, reason]`."""

    converted: int = 0
    empty: int = 0
    refused: int = 0
    bad: list[list[Any]] = field(default_factory=list)


class Batches:
    """The conversion of one field in one SQL table. Every method is called within a transaction."""

    def __init__(self, conversion: Conversion, source: str = LIVE) -> None:
        old, new = conversion.field, conversion.shadow
        self.table: Table = old.table.of(source)
        self._dialect = connection.vendor
        self.cast = Cast(FieldType.get(old.type)(old.options), FieldType.get(new.type)(new.options))
        self._name = ddl.table_name(self.table)
        self._old, self._new = ddl.quoted(old.physical), ddl.quoted(new.physical)
        self._queue = queue_name(self.table, new.physical)
        self._default = new.default if conversion.on_bad == "default" else None
        self._target: int | None = new.options.get("table") if new.type == "reference" else None
        self._mark = "?" if self._dialect == "sqlite" else "%s"
        self._new_type = self.cast.new.column("postgresql").removesuffix(' COLLATE "C"')

    def convert_after(self, last: int, end: int, counts: Counts) -> int:
        """Convert the next records after an id, up to `end`; the id reached. `end` when there are no more.

        PostgreSQL: what somebody else holds is left to the queue, so that this waits for nobody.
        """
        first = last + 1
        rows = self._range(last, end)
        reached = end if len(rows) < BATCH else int(rows[-1][0])
        if self._dialect == "postgresql":
            held = f"SELECT id, {self._old} FROM {self._name} WHERE id BETWEEN %s AND %s FOR NO KEY UPDATE SKIP LOCKED"
            free = execute(held, [first, reached])
            missed = {row[0] for row in rows} - {row[0] for row in free}
            if missed:
                execute(f"INSERT INTO {self._queue} (id) SELECT unnest(%s::bigint[])", [list(missed)])
            rows = free
        self._convert(rows, counts)
        return reached

    def _range(self, last: int, end: int) -> Rows:
        mark = self._mark
        sql = f"SELECT id, {self._old} FROM {self._name} WHERE id > {mark} AND id <= {mark} ORDER BY id LIMIT {BATCH}"
        return execute(sql, [last, end])

    def drain(self, counts: Counts, *, is_last: bool = False) -> int:
        """Convert what the queue has noted; how many ids it still holds afterwards. `is_last`: nobody else writes now."""
        noted = execute(f"SELECT DISTINCT id FROM {self._queue} LIMIT {BATCH}", [])
        ids = [int(row[0]) for row in noted]
        if not ids:
            return 0
        if self._dialect == "sqlite":
            wanted: Any = encode(ids).decode()
            inside = "IN (SELECT value FROM json_each(?))"
            lock = ""
        else:
            wanted, inside, lock = ids, "= ANY(%s)", "" if is_last else " FOR NO KEY UPDATE SKIP LOCKED"
        rows = execute(f"SELECT id, {self._old} FROM {self._name} WHERE id {inside}{lock}", [wanted])
        self._convert(rows, counts)
        done: Any = [int(row[0]) for row in rows]
        if is_last or self._dialect == "sqlite":
            done = ids
        done = encode(done).decode() if self._dialect == "sqlite" else done
        execute(f"DELETE FROM {self._queue} WHERE id {inside}", [done])
        return int(execute(f"SELECT count(*) FROM {self._queue}", [])[0][0])

    def _convert(self, rows: Rows, counts: Counts) -> None:
        pairs: list[tuple[int, Any]] = []
        load, value, bind = self.cast.old.load, self.cast.value, self.cast.new.bind
        dialect = self._dialect
        for number, raw in rows:
            if raw is None:
                counts.empty += 1
                pairs.append((number, None))
                continue
            given = load(raw, dialect)
            try:
                pairs.append((number, bind(value(given), dialect)))
                counts.converted += 1
            except Refused as refused:
                reason = "; ".join(fault.message for fault in refused.faults)
                pairs.append((number, self._refused(number, given, reason, counts)))
        self._write(self._without_lost(pairs, counts) if self._target else pairs)

    def _refused(self, number: int, given: Any, reason: str, counts: Counts) -> Any:
        counts.refused += 1
        if len(counts.bad) < SHOWN:
            shown_id = number if self.table.source == LIVE else f"{number} (test data)"
            counts.bad.append([shown_id, shown(self.cast.old.to_json(given)), reason])
        if self._default is None:
            return None
        return self.cast.new.bind(self.cast.default(self._default), self._dialect)

    def _without_lost(self, pairs: Sequence[tuple[int, Any]], counts: Counts) -> list[tuple[int, Any]]:
        """For a reference: without the ids of records that are not there."""
        target = Table.objects.get(pk=self._target or 0).of(self.table.source)
        wanted = sorted({value for _, value in pairs if value is not None})
        given: Any = encode(wanted).decode() if self._dialect == "sqlite" else wanted
        inside = "IN (SELECT value FROM json_each(?))" if self._dialect == "sqlite" else "= ANY(%s)"
        there = {
            row[0] for row in execute(f"SELECT id FROM {ddl.table_name(target)} WHERE id {inside}", [given])
        }
        made = []
        for number, value in pairs:
            if value is not None and value not in there:
                counts.converted -= 1
                value = self._refused(number, value, f"there is no such record in {target.name}", counts)
            made.append((number, value))
        return made

    def _write(self, pairs: Sequence[tuple[int, Any]]) -> None:
        """Put the values in, also null: the record may have held something before it was changed."""
        if not pairs:
            return
        if self._dialect == "postgresql":
            ids, values = [number for number, _ in pairs], [value for _, value in pairs]
            kind = "text" if self._new_type == "jsonb" else self._new_type
            execute(
                f"UPDATE {self._name} SET {self._new} = given.value::{self._new_type}"
                f" FROM unnest(%s::bigint[], %s::{kind}[]) AS given(id, value)"
                f" WHERE {self._name}.id = given.id AND ({self._new} IS NOT NULL OR given.value IS NOT NULL)",
                [ids, values],
            )
            return
        sql = f"UPDATE {self._name} SET {self._new} = ? WHERE id = ? AND ({self._new} IS NOT NULL OR ? IS NOT NULL)"
        try:
            with connection.wrap_database_errors:
                connection.connection.executemany(sql, [(value, number, value) for number, value in pairs])
        except Error as error:
            raise explained(error) from error
