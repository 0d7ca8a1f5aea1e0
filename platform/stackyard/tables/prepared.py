"""A query made ready: checked once, compiled once per shape, run many times with other values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from stackyard.core.errors import Detail, Faults, Problem, invalid_input
from stackyard.core.limits import LIST_RECORDS

from .addons import attach
from .aggregate_sql import AggregateLoader, AggregateSql
from .cursors import after, fingerprint, next_cursor, read_cursor
from .definitions import FieldDef, Schema
from .field_type import Refused, shown
from .operands import Slot, filled
from .paging import CAP, cursor_envelope, envelope
from .query import BOUNDS, TOTALS, Query, read_number, resolve
from .rows import RowLoader
from .sorting import Sort, at_run_time
from .source_sql import source_sql
from .sources import Source
from .sql import Element, Statement, TableSql, compiled, value

if TYPE_CHECKING:
    from .store import Store

Rows = list[tuple[Any, ...]]
MOST_SORTS = 64
"""How many orders that came at run time a query remembers."""


def too_many(table: str) -> Problem:
    """A list that is not paged is never cut short in silence."""
    return Problem(
        "RESULT_TOO_LARGE",
        f"More than {LIST_RECORDS.default:,} {table} match.",
        status=422,
        suggestion="Ask for pages with per_page, or narrow the conditions.",
    )


class Prepared:
    """A checked query. It may outlive its schema's version: physical columns never change their meaning."""

    def __init__(self, schema: Schema, query: Query) -> None:
        faults = Faults()
        resolved = resolve(schema, query, faults)
        faults.raise_errors()
        assert resolved is not None
        self.schema, self.query, self.resolved = schema, query, resolved
        self.type = resolved.type
        operands = resolved.operands
        self._states = tuple(operand.fixed[0] if operand.fixed else "" for operand in operands)
        self._binds = {f"o{n}": operand.fixed[1] for n, operand in enumerate(operands) if operand.fixed}
        self._open = [(n, f"o{n}", operand) for n, operand in enumerate(operands) if operand.fixed is None]
        self._loader = RowLoader(resolved.fields, schema.dialect)
        self._columns = self._selected(resolved.sort)
        source = resolved.table
        self._marks = source.marks(resolved.fields) if isinstance(source, Source) else ()
        self._node_key = None if resolved.node is None else resolved.node.key
        self._latest: dict[str, tuple[Any, Statement]] = {}
        self._sorts: dict[str, Sort] = {}

    def _selected(self, sort: Sort) -> tuple[FieldDef, ...]:
        """What is selected: the fields asked for, then what addons, joins and cursors need besides."""
        extra = [theirs for addon in self.resolved.addons for _, theirs in addon.match]
        if isinstance(self.resolved.table, Source):
            extra += self.resolved.table.marks(self.resolved.fields)
        if self.query.cursor is not None:
            extra += [f for f, _ in sort.parts]
        return tuple(dict.fromkeys((*self.resolved.fields, *extra)))

    def run(self, store: Store, values: Sequence[Any] = ()) -> Any:
        """The result, with `values` in the slots. Problem `INVALID_INPUT` for values that don't fit."""
        ready = [self]

        def work() -> Any:
            prepared = ready.pop() if ready else Prepared(store.schema, self.query)
            return prepared.run_once(store, values)

        return store.retrying(work)

    def run_once(self, store: Store, values: Sequence[Any]) -> Any:
        """`run`, without a second try when the tables have moved."""
        states, binds = self._operands(values)
        if self.resolved.aggregation is not None:
            return self._aggregates(store, states, binds, values)
        match self.query.return_:
            case "count":
                return store.execute(self._statement("count", states, (), self._count), binds)[0][0]
            case "exists":
                return bool(store.execute(self._statement("exists", states, (), self._exists), binds)[0][0])
            case "single":
                rows = self._rows(store, states, {**binds, "limit": 1, "offset": 0}, self._sort(values))
                found = self._records(store, rows)
                return found[0] if found else None
            case _ if self.query.cursor is not None:
                return self._cursor_page(store, states, binds, values)
            case _ if self.query.is_paged:
                return self._page(store, states, binds, values)
            case _:
                return self._list(store, states, binds, values)

    def _aggregates(
        self, store: Store, states: tuple[str, ...], binds: dict[str, Any], values: Sequence[Any]
    ) -> Any:
        """One record, or the groups: all of them or a page."""
        aggregation = self.resolved.aggregation
        assert aggregation is not None
        sort = self._sort(values) if aggregation.groups else Sort()
        page, per_page, offset = (self._number(name, values) for name in ("page", "per_page", "offset"))
        if not self.query.is_paged:
            per_page, page = LIST_RECORDS.default, 1
        window = {"limit": per_page + 1, "offset": offset + (page - 1) * per_page}
        is_many = bool(aggregation.groups)
        statement = self._statement(
            "aggregate",
            states,
            (aggregation.key, sort.key),
            lambda s: AggregateSql(self._table, aggregation).select(self._condition(s), sort, is_many),
        )
        rows = store.execute(statement, {**binds, **window})
        loader = AggregateLoader(aggregation, self.schema.dialect)
        if not is_many:
            return loader.load(rows)[0]
        items = loader.load(rows[:per_page])
        if self.query.is_paged:
            total = self._total(store, states, binds, values)
            return envelope(items, page, per_page, offset, len(rows) > per_page, total)
        if len(rows) > per_page:
            raise too_many(f"groups of {self.query.table}")
        return items

    def ids(self, store: Store, limit: int, values: Sequence[Any] = ()) -> list[int]:
        """The ids of up to `limit` records (locked, where the database locks records)."""
        states, binds = self._operands(values)
        lock = store.can_lock()
        statement = self._statement(
            "ids", states, (lock,), lambda s: self._select(s, self.resolved.sort, None, lock)
        )
        return [row[0] for row in store.execute(statement, {**binds, "limit": limit, "offset": 0})]

    def _operands(self, values: Sequence[Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
        if not self._open:
            return self._states, self._binds
        states, binds = list(self._states), dict(self._binds)
        details: list[Detail] = []
        for number, name, operand in self._open:
            try:
                states[number], binds[name] = operand.evaluate(values)
            except Refused as refused:
                details += operand.details(refused)
        if details:
            raise invalid_input(details)
        return tuple(states), binds

    def _sort(self, values: Sequence[Any]) -> Sort:
        sort = self.resolved.sort
        if not sort.is_open:
            return sort
        given = filled(sort.source, values)
        known = self._sorts.get(given) if isinstance(given, str) else None
        return self._sort_of(given) if known is None else known

    def _sort_of(self, given: Any) -> Sort:
        faults = Faults()
        # An order that comes at run time may be a caller's: it could guess at what is private.
        made = at_run_time(self.resolved.sorted_table, given, True, faults, ("sort",))
        if made.is_random and self.query.cursor is not None:
            faults.error(("sort",), "value", "A random order has no pages to go on from.")
        faults.raise_errors()
        if isinstance(given, str) and len(self._sorts) < MOST_SORTS:
            self._sorts[given] = made
        return made

    def _list(
        self, store: Store, states: tuple[str, ...], binds: dict[str, Any], values: Sequence[Any]
    ) -> list[dict[str, Any]]:
        limit = LIST_RECORDS.default + 1
        offset = self._number("offset", values)
        rows = self._rows(store, states, {**binds, "limit": limit, "offset": offset}, self._sort(values))
        if len(rows) == limit:
            raise too_many(f"records of {self.query.table}")
        return self._records(store, rows)

    def _page(
        self, store: Store, states: tuple[str, ...], binds: dict[str, Any], values: Sequence[Any]
    ) -> dict[str, Any]:
        page, per_page, offset = (self._number(name, values) for name in ("page", "per_page", "offset"))
        window = {"limit": per_page + 1, "offset": offset + (page - 1) * per_page}
        total: tuple[int, bool] | None
        if self._counts_in_passing(values):
            rows, total = self._rows_and_total(store, states, {**binds, **window}, self._sort(values))
        else:
            rows = self._rows(store, states, {**binds, **window}, self._sort(values))
            total = self._total(store, states, binds, values)
        items = self._records(store, rows[:per_page])
        return envelope(items, page, per_page, offset, len(rows) > per_page, total)

    def _cursor_page(
        self, store: Store, states: tuple[str, ...], binds: dict[str, Any], values: Sequence[Any]
    ) -> dict[str, Any]:
        per_page, sort, dialect = self._number("per_page", values), self._sort(values), self.schema.dialect
        text = _now(self.query.cursor, values)
        if text is not None and not isinstance(text, str):
            raise invalid_input([Detail("cursor", "type", f"expected text, got {shown(text)}")])
        table = self.resolved.table
        here = fingerprint(table.key, self._node_key, states, binds, sort.key)
        position = read_cursor(text, here, sort, dialect) if text else None
        given = {**binds, "limit": per_page + 1, "offset": 0}
        if position is not None:
            given |= {f"k{n}": bound for n, bound in enumerate(position)}
        rows = self._rows(store, states, given, sort, position)
        items = self._records(store, rows[:per_page])
        cursor = None
        if len(rows) > per_page:
            places = [self._selected(sort).index(f) for f, _ in sort.parts]
            last = rows[per_page - 1]
            cursor = next_cursor(here, sort, [last[place] for place in places], dialect)
        return cursor_envelope(items, per_page, cursor, self._total(store, states, binds, values))

    def _number(self, name: str, values: Sequence[Any]) -> int:
        given = _now(getattr(self.query, name), values)
        least, most, default = BOUNDS[name]
        if given is None:
            return default
        if type(given) is int and least <= given <= most:
            return given
        faults = Faults()
        number = read_number(name, given, faults, (name,))
        faults.raise_errors()
        return number

    def _total(
        self, store: Store, states: tuple[str, ...], binds: dict[str, Any], values: Sequence[Any]
    ) -> tuple[int, bool] | None:
        """How many there are in all, and whether counting stopped before the end; None when nobody asked."""
        asked = _now(self.query.totals, values)
        if asked is None or asked is False:
            return None
        if not isinstance(asked, bool | str) or asked not in TOTALS:
            message = f"expected false, true or capped, got {shown(asked)}"
            raise invalid_input([Detail("totals", "value", message)])
        aggregation = self.resolved.aggregation
        if asked is True or aggregation is not None:
            shape = () if aggregation is None else aggregation.key
            count = store.execute(self._statement("count", states, shape, self._count), binds)[0][0]
            return count, False
        statement = self._statement("capped", states, (), self._capped)
        count = store.execute(statement, {**binds, "limit": CAP + 1})[0][0]
        return min(count, CAP), count > CAP

    def _counts_in_passing(self, values: Sequence[Any]) -> bool:
        """Whether a page and its total can come from one statement: a page with a whole total, locking nothing."""
        return not self.query.lock and _now(self.query.totals, values) is True

    def _rows_and_total(
        self, store: Store, states: tuple[str, ...], binds: Mapping[str, Any], sort: Sort
    ) -> tuple[Rows, tuple[int, bool]]:
        """A page whose rows end with the total: one way to the database instead of two, and one moment of it."""
        statement = self._statement(
            "page",
            states,
            (sort.key,),
            lambda s: self._select(s, sort, None, False).add_columns(self._count(s).scalar_subquery()),
        )
        rows = store.execute(statement, binds)
        if not rows:
            # A page past the end has no row to carry it.
            return rows, (
                store.execute(self._statement("count", states, (), self._count), binds)[0][0],
                False,
            )
        return rows, (rows[0][-1], False)

    def _rows(
        self,
        store: Store,
        states: tuple[str, ...],
        binds: Mapping[str, Any],
        sort: Sort,
        position: Sequence[Any] | None = None,
    ) -> Rows:
        nulls = None if position is None else tuple(bound is None for bound in position)
        lock = self.query.lock and store.can_lock()
        statement = self._statement(
            "rows", states, (sort.key, nulls, lock), lambda s: self._select(s, sort, nulls, lock)
        )
        return store.execute(statement, binds)

    def _records(self, store: Store, rows: Rows) -> list[dict[str, Any]]:
        records = self._loader.load(rows)
        if self.resolved.addons and records:
            attach(store, self.schema, self.resolved.addons, self._columns, rows, records)
        if self._marks:
            return self._nested(rows, records)
        return records

    def _nested(self, rows: Rows, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Records with the fields of joins in objects."""
        source = self.resolved.table
        assert isinstance(source, Source)
        places = [(mark.name.split(".")[0], self._columns.index(mark)) for mark in self._marks]
        return [
            source.nested(record, {alias: row[place] is not None for alias, place in places})
            for row, record in zip(rows, records, strict=True)
        ]

    def _statement(
        self, kind: str, states: tuple[str, ...], shape: tuple[Any, ...], build: Callable[[Any], Element]
    ) -> Statement:
        """The compiled statement of a shape: the kind's last one is at hand, others are in the schema's store."""
        small = (kind, states, shape)
        latest = self._latest.get(kind)
        if latest is not None and latest[0] == small:
            return latest[1]
        columns = tuple(f.column for f in self.resolved.fields)
        addons = tuple(f.column for f in self._columns)
        key = ("query", self.resolved.table.key, columns, addons, self._node_key, small)
        made: Statement = self.schema.statements.make(
            key, lambda: compiled(build(states), self.schema.dialect)
        )
        self._latest[kind] = (small, made)
        return made

    def _condition(self, states: tuple[str, ...]) -> list[Element]:
        if self.resolved.node is None:
            return []
        condition = self._table.where(self.resolved.node, states)
        return [] if condition is None else [condition]

    @property
    def _table(self) -> TableSql:
        return source_sql(self.schema, self.resolved.table)

    def _select(
        self, states: tuple[str, ...], sort: Sort, nulls: Sequence[bool] | None, lock: bool
    ) -> Element:
        table = self._table
        conditions = self._condition(states)
        if nulls is not None:
            conditions.append(after(table, sort, nulls))
        chosen = self._selected(sort)
        select = sa.select(*table.columns(chosen)).select_from(table.sql).where(*conditions)
        if sort.is_random:
            select = select.order_by(sa.func.random())
        else:
            select = select.order_by(*(table.order(f, down) for f, down in sort.parts))
        select = select.limit(value("limit", sa.BigInteger())).offset(value("offset", sa.BigInteger()))
        return select.with_for_update(of=table.base) if lock else select

    def _count(self, states: tuple[str, ...]) -> Element:
        aggregation = self.resolved.aggregation
        if aggregation is not None:
            return AggregateSql(self._table, aggregation).count(self._condition(states))
        return sa.select(sa.func.count()).select_from(self._table.sql).where(*self._condition(states))

    def _exists(self, states: tuple[str, ...]) -> Element:
        one: Any = sa.select(sa.literal_column("1")).select_from(self._table.sql)
        return sa.select(sa.exists(one.where(*self._condition(states))))

    def _capped(self, states: tuple[str, ...]) -> Element:
        one: Any = sa.select(sa.literal_column("1").label("one")).select_from(self._table.sql)
        some = one.where(*self._condition(states)).limit(value("limit", sa.BigInteger())).subquery("some")
        return sa.select(sa.func.count()).select_from(some)


def _now(given: Any, values: Sequence[Any]) -> Any:
    return values[given.index] if isinstance(given, Slot) else given
