"""From checked nodes to SQL text: SQLAlchemy Core, used as a compiler only (data.md §12).

No engine, no session, no connection: a select is built once per shape, compiled to text with the order of
its binds, and kept. Names are physical ones; every value, also a path into JSON, is a bind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect

from .definitions import FieldDef, Schema, TableDef
from .field_type import FieldType
from .operands import ABSENT, NULL, WITH_NULL
from .places import PLACES, search_sql
from .targets import Target
from .where import Condition, Node

Element = Any
"""A SQLAlchemy expression; its own generic types say less than they cost here."""

_DIALECTS: Mapping[str, Any] = {
    "sqlite": sqlite.dialect(paramstyle="qmark"),
    "postgresql": psycopg_dialect.dialect(paramstyle="format"),  # type: ignore[no-untyped-call]
}
_TYPES: Mapping[str, Any] = {
    "bigint": sa.BigInteger(),
    "INTEGER": sa.BigInteger(),
    "double precision": sa.Double(),
    "REAL": sa.Double(),
    "boolean": sa.Boolean(),
    "date": sa.Date(),
    "uuid": sa.Uuid(),
    "jsonb": postgresql.JSONB(),
}


class Statement:
    """SQL text and the names of its binds in their order; `constants` are values that belong to the text."""

    __slots__ = ("constants", "order", "sql")

    def __init__(self, sql: str, order: tuple[str, ...], constants: Mapping[str, Any]) -> None:
        self.sql = sql
        self.order = order
        self.constants = constants

    def bind(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the binds."""
        if self.constants:
            values = {**self.constants, **values}
        return [values[name] for name in self.order]


def compiled(element: Element, dialect: str) -> Statement:
    """Compile a statement."""
    made = element.compile(dialect=_DIALECTS[dialect], compile_kwargs={"render_postcompile": True})
    order = tuple(made.positiontup or ())
    constants = {name: made.params[name] for name in order if made.params.get(name) is not None}
    return Statement(made.string, order, constants)


def sql_type(field: FieldDef, dialect: str) -> Any:
    """The SQL type of a field's column and of what is compared with it."""
    return column_type(field.type, dialect)


def column_type(kind: FieldType, dialect: str) -> Any:
    """The SQL type of a column of a field type."""
    column = kind.column(dialect)
    if column.startswith("numeric"):
        return sa.Numeric()
    return _TYPES.get(column, sa.Text())


def value(name: str, type_: Any) -> Element:
    """A bind that gets its value when the statement runs."""
    return sa.bindparam(name, type_=type_)


class TableSql:
    """One table of the schema as SQLAlchemy knows it, and expressions over it."""

    def __init__(self, table: TableDef, dialect: str, folding: str = "default") -> None:
        self.table = table
        self.dialect = dialect
        self.folding = folding
        columns = [sa.Column(name, column_type(kind, dialect)) for name, kind in table.column_types.items()]
        self.sql: Any = sa.Table(table.physical, sa.MetaData(), *columns, schema=table.namespace)
        # What is locked when records are, and what conditions within a condition speak of.
        self.base = self.sql
        self.froms: tuple[Any, ...] = (self.sql,)

    def column(self, field: FieldDef) -> Element:
        """The column of a field."""
        return self.sql.c[field.column]

    def columns(self, fields: Sequence[FieldDef]) -> list[Element]:
        """The columns of some fields."""
        return [self.column(field) for field in fields]

    def order(self, field: FieldDef, descending: bool) -> Element:
        """A part of ORDER BY: null comes before every value."""
        column = self.column(field)
        ordered = column.desc() if descending else column.asc()
        if field.never_null or self.dialect == "sqlite":
            return ordered  # SQLite's own order is this one, and then an index can serve it.
        return ordered.nulls_last() if descending else ordered.nulls_first()

    def where(self, node: Node, states: Sequence[str]) -> Element | None:
        """The condition of a tree, given the states of its operands; None when all of it was left out."""
        if isinstance(node, Condition):
            return self._condition(node, states)
        parts = [self.where(part, states) for part in node.parts]
        present = [part for part in parts if part is not None]
        if node.op == "not":
            return sa.not_(sa.func.coalesce(present[0], sa.false())) if present else None
        if node.parts and not present:
            return None
        if node.op == "and":
            return sa.and_(sa.true(), *present)
        return sa.or_(sa.false(), *present)

    def _condition(self, condition: Condition, states: Sequence[str]) -> Element | None:
        if isinstance(condition.operand, Target):
            other = self.column(condition.operand.field)
            return _COMPARE[condition.op](self.column(condition.target.field), other)
        assert condition.operand is not None
        state = states[condition.operand]
        name = f"o{condition.operand}"
        if state == ABSENT:
            return None
        if condition.op == "exists":
            return self._exists(condition.target, state, name)
        if state == NULL:
            return self._null(condition)
        if condition.op.startswith("has"):
            return self._has(condition, name)
        if condition.op in PLACES:
            return PLACES[condition.op](self.column(condition.target.field), name, self.dialect)
        kind = condition.target.kind
        if condition.target.path and kind is None:
            kind = state.split()[0]
        left, type_ = self._left(condition.target, kind)
        if condition.op in ("in", "nin"):
            inside = self._inside(left, type_, name)
            return self._membership(condition, inside, state.endswith(WITH_NULL))
        if condition.op in _COMPARE:
            return _COMPARE[condition.op](left, value(name, type_))
        if condition.op == "search":
            return search_sql(left, name, self.dialect, self.folding)
        return self._pattern(condition.op, left, name)

    def _left(self, target: Target, kind: str | None) -> tuple[Element, Any]:
        if not target.path:
            column = self.column(target.field)
            return column, column.type
        assert kind is not None
        return self._scalar(target, kind)

    def _null(self, condition: Condition) -> Element:
        """A comparison with nothing: only equality says anything about it."""
        if condition.op in ("eq", "ne"):
            present = self._present(condition.target)
            return present if condition.op == "ne" else sa.not_(present)
        return sa.false()

    def _exists(self, target: Target, state: str, name: str) -> Element:
        if state == NULL:
            return sa.false()
        return self._present(target) == value(name, sa.Boolean())

    def _present(self, target: Target) -> Element:
        column = self.column(target.field)
        if not target.path:
            return column.is_not(None)
        if self.dialect == "sqlite":
            return sa.func.json_extract(column, _sqlite_path(target.path)).is_not(None)
        return sa.func.coalesce(sa.func.jsonb_typeof(self._at(target)), "null") != "null"

    def _at(self, target: Target) -> Element:
        """The JSON at a path, on PostgreSQL."""
        column = self.column(target.field)
        if any(part.isdigit() for part in target.path):
            # `#>` takes a number as a key of an object too; a strict path does not.
            path = sa.cast(sa.literal(f"strict {_sqlite_path(target.path)}"), postgresql.JSONPATH())
            return sa.func.jsonb_path_query_first(column, path, sa.cast("{}", postgresql.JSONB()), sa.true())
        keys = sa.cast(
            sa.literal(list(target.path), postgresql.ARRAY(sa.Text())), postgresql.ARRAY(sa.Text())
        )
        return column.op("#>")(keys)

    def _scalar(self, target: Target, kind: str) -> tuple[Element, Any]:
        """What stands at a path if it is of that kind, else null."""
        column = self.column(target.field)
        type_: Any = {"text": sa.Text(), "number": sa.Numeric(), "bool": sa.Boolean()}[kind]
        if self.dialect == "sqlite":
            path = _sqlite_path(target.path)
            kinds = {"text": ("text",), "number": ("integer", "real"), "bool": ("true", "false")}[kind]
            found = sa.func.json_type(column, path)
            right = sa.or_(*(found == sa.literal(name) for name in kinds))
            plain: Any = {"text": sa.Text(), "number": sa.Double(), "bool": sa.BigInteger()}[kind]
            taken: Element = sa.type_coerce(sa.func.json_extract(column, path), plain)
            return sa.case((right, taken)), plain
        at = self._at(target)
        wanted = {"text": "string", "number": "number", "bool": "boolean"}[kind]
        text = at.op("#>>")(sa.cast(sa.literal([], postgresql.ARRAY(sa.Text())), postgresql.ARRAY(sa.Text())))
        taken = sa.type_coerce(text, sa.Text()).collate("C") if kind == "text" else sa.cast(text, type_)
        return sa.case((sa.func.jsonb_typeof(at) == wanted, taken)), type_

    def _inside(self, left: Element, type_: Any, name: str) -> Element:
        """In a list of any length, with one text."""
        if self.dialect == "sqlite":
            items = sa.func.json_each(value(name, sa.Text())).table_valued("value", name=f"{name}_items")
            return left.in_(sa.select(items.c.value))
        array = postgresql.ARRAY(type_)
        return left == sa.func.any(sa.cast(value(name, array), array))

    def _membership(self, condition: Condition, inside: Element, with_null: bool) -> Element:
        """A null in the list is a value like others; `nin` keeps records that hold nothing, unless it is."""
        if condition.op == "in":
            return sa.or_(inside, sa.not_(self._present(condition.target))) if with_null else inside
        outside = sa.not_(sa.func.coalesce(inside, sa.false()))
        return sa.and_(outside, self._present(condition.target)) if with_null else outside

    def _pattern(self, op: str, left: Element, name: str) -> Element:
        text = value(name, sa.Text())
        if self.dialect == "sqlite":
            if op == "like":
                return left.op("GLOB", is_comparison=True)(text)
            if op == "ilike":
                return sa.func.stackyard_lower(left).like(sa.func.stackyard_lower(text), escape="\\")
            return sa.func.stackyard_matches(text, left) == 1
        if op == "like":
            return left.like(text, escape="\\")
        if op == "ilike":
            folded = sa.func.lower(left.collate(self.folding)).collate("C")
            return folded.like(sa.func.lower(text.collate(self.folding)).collate("C"), escape="\\")
        return left.op("~", is_comparison=True)(text)

    def _has(self, condition: Condition, name: str) -> Element:
        """Whether a list holds one, any or all of some values; they are bound as JSON."""
        target, wanted = condition.target, value(name, sa.Text())
        column = self.column(target.field)
        if self.dialect == "sqlite":
            return self._sqlite_has(condition.op, target, column, wanted)
        at = self._at(target) if target.path else column
        wanted = sa.cast(wanted, postgresql.JSONB())
        if condition.op != "has_any":
            return sa.and_(sa.func.jsonb_typeof(at) == "array", at.op("@>", is_comparison=True)(wanted))
        items = sa.func.jsonb_array_elements(wanted).table_valued("value", name=f"{name}_items")
        one = at.op("@>", is_comparison=True)(sa.func.jsonb_build_array(items.c.value))
        found = sa.exists(sa.select(sa.literal_column("1")).select_from(items).where(one))
        return sa.and_(sa.func.jsonb_typeof(at) == "array", found)

    def _sqlite_has(self, op: str, target: Target, column: Element, wanted: Element) -> Element:
        path = _sqlite_path(target.path)
        have = sa.func.json_each(column, path).table_valued("value", "type", name="have")
        want = sa.func.json_each(wanted).table_valued("value", "type", name="want")
        numbers = ("integer", "real")
        alike = sa.or_(
            have.c.type == want.c.type,
            sa.and_(
                sa.or_(*(have.c.type == sa.literal(n) for n in numbers)),
                sa.or_(*(want.c.type == sa.literal(n) for n in numbers)),
            ),
        )
        same = sa.and_(have.c.value == want.c.value, alike)
        found = sa.exists(
            sa.select(sa.literal_column("1")).select_from(have).where(same).correlate(want, *self.froms)
        )
        rows: Any = sa.select(sa.literal_column("1")).select_from(want)
        if op == "has_any":
            result: Element = sa.exists(rows.where(found).correlate(*self.froms))
        else:
            result = sa.not_(sa.exists(rows.where(sa.not_(found)).correlate(*self.froms)))
        return sa.and_(sa.func.json_type(column, path) == "array", result)


def table_sql(schema: Schema, table: TableDef) -> TableSql:
    """The table's SQLAlchemy form, kept with the schema's statements."""
    made: TableSql = schema.statements.make(
        ("table", table.id), lambda: TableSql(table, schema.dialect, schema.folding)
    )
    return made


_COMPARE: Mapping[str, Callable[[Any, Any], Element]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left.is_distinct_from(right),
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
}


def _sqlite_path(path: Sequence[str]) -> str:
    """A path as SQLite's JSON functions and PostgreSQL's jsonpath write it: `$."a"[0]`."""
    return "$" + "".join(
        f"[{part}]" if part.isdigit() else f".{json.dumps(part, ensure_ascii=False)}" for part in path
    )
