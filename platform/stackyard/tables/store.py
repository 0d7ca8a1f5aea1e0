"""The one door to records: reading, adding, changing, deleting, with every check on the way.

A `Store` works with one frozen schema to the end of a request. Records are dictionaries by field name in
run-time values; private and internal fields come only when `fields` names them. Every fault of the data
is in one Problem `INVALID_INPUT`; a doubled value is `CONFLICT`, a record that is not there `NOT_FOUND`,
a lock that did not come in time `BUSY`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection, transaction

from stackyard.core.errors import Detail, Problem, invalid_input

from . import bulk, passwords, removal, watching, writing
from .conflicts import conflict, missing_targets
from .database import Doubled, Moved, OnQuery, busy_when_locked, execute
from .definitions import FieldDef, Schema, TableDef
from .field_type import Refused
from .increments import increment
from .prepared import Prepared
from .query import Query
from .records import Reading, RecordReader, reader
from .rows import RowLoader
from .schema import fresh_schema
from .sql import Statement

Record = dict[str, Any]
AnyTable = str | TableDef
T = TypeVar("T")


class Store:
    """The records of one workspace. `on_query(sql, seconds, rows)` hears of every statement."""

    def __init__(self, schema: Schema, *, on_query: OnQuery | None = None) -> None:
        self.schema = schema
        self.on_query = on_query

    # Reading

    def prepare(self, query: Query) -> Prepared:
        """Check a query once, to run it many times. Problem `INVALID_INPUT` with every fault."""
        return Prepared(self.schema, query)

    def query(self, query: Query, values: Sequence[Any] = ()) -> Any:
        """Check and run a query: a list, a page, a record or null, a number, or true or false."""
        return self.retrying(lambda: Prepared(self.schema, query).run_once(self, values))

    def get(
        self, table: AnyTable, value: Any, field: str = "id", fields: Sequence[str] | None = None
    ) -> Record | None:
        """The record whose field holds the value (the first by id, where several do), or None."""
        return self.retrying(lambda: self._get(table, value, field, fields))

    def _get(self, table: AnyTable, value: Any, field: str, fields: Sequence[str] | None) -> Record | None:
        known = self.schema.table(table)
        key = ("get", known.id, field, None if fields is None else tuple(fields))
        made: _Lookup = self.schema.statements.make(key, lambda: _Lookup(self.schema, known, field, fields))
        return made.run(self, value)

    def has(self, table: AnyTable, value: Any, field: str = "id") -> bool:
        """Whether a record's field holds the value."""
        return self.get(table, value, field, ["id"]) is not None

    def verify(
        self, table: AnyTable, value: Any, password: Any, *, by: str = "id", field: str | None = None
    ) -> bool:
        """Whether the record whose field `by` holds the value has this password (in `field`, or its only such field)."""
        return self.retrying(
            lambda: passwords.verify(self, self.schema.table(table), value, password, field, by)
        )

    # Writing

    def add(self, table: AnyTable, data: Mapping[str, Any]) -> Record:
        """Add a record; its `id` and `created_at` are made here. Returns it as it is kept."""
        return self.retrying(lambda: self._add_told(self.schema.table(table), data))

    def _add_told(self, table: TableDef, data: Mapping[str, Any]) -> Record:
        return watching.adding(self, table, lambda: [self._add(table, data)])[0]

    def _add(self, table: TableDef, data: Mapping[str, Any]) -> Record:
        reading = self.reader(table).new(data)
        self.refuse_faults(reading.details)
        return self._insert(table, reading)

    def _insert(self, table: TableDef, reading: Reading) -> Record:
        bound = {**reading.bound, "created_at": bulk.now_bound()}
        statement = writing.insert(
            self.schema, table, writing.columns_of(bound), writing.columns_of(reading.references)
        )
        rows = self.write(table, statement, bound)
        if not rows:
            raise missing_targets(self, table, [reading])
        return self.load(table, rows)[0]

    def edit(self, table: AnyTable, value: Any, data: Mapping[str, Any], field: str = "id") -> Record:
        """Put data in a record's place: absent fields take their default or null, required ones are required.

        Private and internal fields keep what they hold unless they are named. Problem `NOT_FOUND` when no
        record's field holds the value.
        """
        return self.retrying(lambda: self._change(self.schema.table(table), value, data, field, whole=True))

    def patch(self, table: AnyTable, value: Any, data: Mapping[str, Any], field: str = "id") -> Record:
        """Change the fields that are named. Problem `NOT_FOUND` when no record's field holds the value."""
        return self.retrying(lambda: self._change(self.schema.table(table), value, data, field, whole=False))

    def _change(
        self, table: TableDef, value: Any, data: Mapping[str, Any], field: str, whole: bool
    ) -> Record:
        return watching.changing(
            self, table, value, field, lambda: self._change_untold(table, value, data, field, whole)
        )

    def _change_untold(
        self, table: TableDef, value: Any, data: Mapping[str, Any], field: str, whole: bool
    ) -> Record:
        known = self.reader(table)
        reading = known.whole(data) if whole else known.part(data)
        self.refuse_faults(reading.details)
        found = self.update(table, self.key_field(table, field), value, reading)
        if found is None:
            raise not_found(table, field, value)
        return found

    def update(self, table: TableDef, field: FieldDef, value: Any, reading: Reading) -> Record | None:
        """Change one record; None when there is none."""
        key = bound_key(field, value, self.schema.dialect)
        if key is None:
            return None
        statement = writing.update(
            self.schema,
            table,
            writing.columns_of(reading.bound),
            writing.columns_of(reading.references),
            field,
        )
        rows = self.write(table, statement, {**reading.bound, "key": key})
        if rows:
            return self.load(table, rows)[0]
        if reading.references and self.has(table, value, field.name):
            raise missing_targets(self, table, [reading])
        return None

    def upsert(self, table: AnyTable, value: Any, data: Mapping[str, Any], field: str = "id") -> Record:
        """Change the record whose unique field holds the value, or add one. Only named fields are changed.

        With field `id` an added record gets an id of its own; with another field, the value goes into it.
        """
        known = self.schema.table(table)
        return self.retrying(
            lambda: watching.changing(
                self, known, value, field, lambda: self._upsert(self.schema.table(table), value, data, field)
            )
        )

    def _upsert(self, table: TableDef, value: Any, data: Mapping[str, Any], name: str) -> Record:
        known, field = self.reader(table), self.key_field(table, name)
        if field.is_system or not isinstance(data, Mapping) or data.get(name, value) != value:
            return self._change_or_add(table, field, value, data)
        data = {**data, name: value}
        if known.missing(data):
            return self._change_or_add(table, field, value, data)
        new, named = known.new(data), known.part(data)
        self.refuse_faults(new.details)
        bound = {**new.bound, "created_at": bulk.now_bound()}
        statement = writing.upsert(
            self.schema,
            table,
            writing.columns_of(bound),
            writing.columns_of(new.references),
            field,
            writing.columns_of(named.bound),
        )
        rows = self.write(table, statement, bound)
        if not rows:
            raise missing_targets(self, table, [new])
        return self.load(table, rows)[0]

    def _change_or_add(self, table: TableDef, field: FieldDef, value: Any, data: Mapping[str, Any]) -> Record:
        """Change, and add only when there is nothing to change: for data that would not make a whole record."""
        with self.transaction():
            part = self.reader(table).part(data)
            self.refuse_faults(part.details)
            found = None if value is None else self.update(table, field, value, part)
            if found is not None:
                return found
            whole = dict(data)
            if not field.is_system:
                whole.setdefault(field.name, value)
            return self._add(table, whole)

    def delete(self, table: AnyTable, value: Any, field: str = "id") -> None:
        """Delete a record, and do to those that refer to it what their `on_delete` says.

        Problem `NOT_FOUND` when no record's field holds the value, `CONFLICT` when a reference restricts it.
        """
        self.retrying(lambda: removal.delete_one(self, self.schema.table(table), value, field))

    # Many at once

    def add_many(self, table: AnyTable, items: Sequence[Any]) -> list[Record]:
        """Add records, all or none; faults carry the item's index (`3.price`)."""
        known = self.schema.table(table)
        return self.retrying(
            lambda: watching.adding(self, known, lambda: bulk.add_many(self, self.schema.table(table), items))
        )

    def import_many(
        self, table: AnyTable, items: Sequence[Any], *, check_references: bool = True
    ) -> list[Record]:
        """Like `add_many`, for records that may bring their own `id` and `created_at`.

        Without `check_references` they may refer to records that come later: ask `dangling` at the end.
        """
        known = self.schema.table(table)
        return self.retrying(
            lambda: bulk.add_many(self, known, items, imported=True, check_references=check_references)
        )

    def dangling(self, table: AnyTable, limit: int = 50) -> list[bulk.Dangling]:
        """References to records that are not there, at most `limit` a field."""
        return bulk.dangling(self, self.schema.table(table), limit)

    def edit_many(self, table: AnyTable, items: Sequence[Any]) -> list[Record]:
        """`edit` for each item by its `id`, all or none."""
        return self._change_many(table, items, whole=True)

    def patch_many(self, table: AnyTable, items: Sequence[Any]) -> list[Record]:
        """`patch` for each item by its `id`, all or none."""
        return self._change_many(table, items, whole=False)

    def _change_many(self, table: AnyTable, items: Sequence[Any], whole: bool) -> list[Record]:
        known = self.schema.table(table)
        return self.retrying(
            lambda: watching.changing_many(
                self, known, items, lambda: bulk.change_many(self, self.schema.table(table), items, whole)
            )
        )

    def increment(self, table: AnyTable, value: Any, field: str, by: Any = 1, key: str = "id") -> Record:
        """Add to a number of the record whose field `key` holds the value; no addition is ever lost."""
        known = self.schema.table(table)

        def add_to() -> Record:
            return increment(self, self.schema.table(table), value, field, by, key)

        return self.retrying(lambda: watching.changing(self, known, value, key, add_to))

    def delete_many(self, table: AnyTable, where: Any, values: Sequence[Any] = ()) -> int:
        """Delete every record that meets the conditions, with `values` in their slots; how many they were."""
        return self.retrying(lambda: removal.delete_many(self, self.schema.table(table), where, values))

    def clear(self, table: AnyTable) -> int:
        """Delete all records of a table, however many, with what refers to them; how many of the table they were."""
        return self.retrying(lambda: removal.clear(self, self.schema.table(table)))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; one inside another can be undone by itself."""
        with busy_when_locked(), transaction.atomic():
            yield

    # What the parts of the store share

    def retrying(self, work: Callable[[], T]) -> T:
        """Run work; when the tables turn out to have moved, once more with the schema of now (data.md §2.1.7)."""
        try:
            return work()
        except Moved:
            if connection.in_atomic_block:
                raise schema_changed() from None
        self.schema = fresh_schema(self.schema.workspace_id, self.schema.source)
        try:
            return work()
        except Moved:
            raise schema_changed() from None

    def execute(self, statement: Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a compiled statement."""
        return execute(statement.sql, statement.bind(values), self.on_query)

    def write(
        self, table: TableDef, statement: Statement, values: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        """Run a statement that unique indexes may refuse: Problem `CONFLICT` that names the field.

        Within a transaction PostgreSQL gets a savepoint, for there a refusal would end all of it.
        """
        try:
            if not table.unique_indexes or connection.vendor == "sqlite" or not connection.in_atomic_block:
                return self.execute(statement, values)
            with transaction.atomic():
                return self.execute(statement, values)
        except Doubled as doubled:
            raise conflict(table, doubled, values, self.schema.dialect) from None

    def load(self, table: TableDef, rows: Sequence[Sequence[Any]]) -> list[Record]:
        """Records of rows that hold the public fields."""
        loader: RowLoader = self.schema.statements.make(
            ("loader", table.id), lambda: RowLoader(table.public_fields, self.schema.dialect)
        )
        return loader.load(rows)

    def reader(self, table: TableDef) -> RecordReader:
        """What reads data for a table."""
        return reader(self.schema, table)

    def key_field(self, table: TableDef, name: str) -> FieldDef:
        """The field that tells which record to change: `id` or a unique one."""
        field = table.field(name)
        if field.name not in table.unique_fields:
            known = ", ".join(table.unique_fields)
            message = f"{name} does not tell one record: use one of {known}"
            raise invalid_input([Detail("field", "value", message)])
        return field

    @staticmethod
    def refuse_faults(details: Sequence[Detail]) -> None:
        """One Problem of all faults, if there are any."""
        if details:
            raise invalid_input(details)

    @staticmethod
    def can_lock() -> bool:
        """Whether `lock` holds: only within a transaction (Problem otherwise). SQLite's holds everything anyway."""
        if not connection.in_atomic_block:
            raise invalid_input([Detail("lock", "value", "lock works only inside a transaction")])
        return connection.vendor == "postgresql"


class _Lookup:
    """`get`, ready for one field and one choice of fields."""

    def __init__(self, schema: Schema, table: TableDef, field: str, fields: Sequence[str] | None) -> None:
        self.field = table.field(field)
        if self.field.type.is_json:
            raise invalid_input([Detail("field", "value", f"{field} is a {self.field.type.name}")])
        chosen = table.public_fields if fields is None else tuple(table.field(name) for name in fields)
        self.statement = writing.lookup(schema, table, self.field, chosen)
        self.loader = RowLoader(chosen, schema.dialect)
        self.dialect = schema.dialect

    def run(self, store: Store, value: Any) -> Record | None:
        """The record, or None."""
        key = bound_key(self.field, value, self.dialect)
        if key is None:
            return None
        rows = store.execute(self.statement, {"key": key})
        return self.loader.load(rows[:1])[0] if rows else None


def bound_key(field: FieldDef, value: Any, dialect: str) -> Any:
    """A value to look a record up by, for the driver; null finds nothing. Problem `INVALID_INPUT`."""
    if value is None:
        return None
    try:
        return field.type.bind(field.type.operand(value), dialect)
    except Refused as refused:
        raise invalid_input([Detail(field.name, f.code, f.message) for f in refused.faults]) from None


def not_found(table: TableDef, field: str, value: Any) -> Problem:
    """404 for a record that is not there."""
    return Problem("NOT_FOUND", f"There is no record of {table.name} with {field} {value}.")


def schema_changed() -> Problem:
    """409: a table was changed while a transaction was at work on it."""
    return Problem(
        "CONFLICT",
        "The tables were changed meanwhile.",
        suggestion="Try again: the next call sees the new tables.",
    )
