"""Aggregates in SQL, and from the rows to values.

SQLite adds whole numbers (and decimals, which it keeps as such) in two halves of 32 bits, so that no sum can pass
64 bits; doubles are added by the digits they are written with, on both, so that the order of records is no matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from typing import Any

import sqlalchemy as sa

from .aggregates import Aggregation, Output
from .field_type import FieldType
from .sorting import Sort
from .sql import Element, TableSql, value
from .time_parts import part_sql

_HALF = 2**32
_LOW = str(_HALF - 1)
_EXACT = Context(prec=3_000, Emax=900_000, Emin=-900_000)
AVERAGE_PLACES = 6
"""Places that the average of a decimal may have beyond those of the decimal."""

Row = Sequence[Any]


class AggregateSql:
    """One aggregation over one table (or Source)."""

    def __init__(self, table: TableSql, aggregation: Aggregation) -> None:
        self.table = table
        self.dialect = table.dialect
        self.aggregation = aggregation

    def select(self, conditions: Sequence[Element], sort: Sort, paged: bool) -> Element:
        """The groups in order; with `limit` and `offset` as binds when it is `paged`."""
        inner = self._inner(conditions)
        columns = [
            c for n, output in enumerate(self.aggregation.outputs) for c in self._columns(inner, n, output)
        ]
        made = sa.select(*columns).select_from(inner).group_by(*self._groups(inner))
        if not paged:
            return made
        made = made.order_by(*(part for f, down in sort.parts for part in self._order(inner, f.name, down)))
        return made.limit(value("limit", sa.BigInteger())).offset(value("offset", sa.BigInteger()))

    def count(self, conditions: Sequence[Element]) -> Element:
        """How many groups there are."""
        inner = self._inner(conditions)
        groups: Any = sa.select(sa.literal_column("1").label("one")).select_from(inner)
        return sa.select(sa.func.count()).select_from(
            groups.group_by(*self._groups(inner)).subquery("groups")
        )

    def _inner(self, conditions: Sequence[Element]) -> Any:
        """The records with what is grouped by and worked with; a text of SQL may hold an expression but once."""
        columns: list[Any] = [sa.literal_column("1").label("one")]
        for number, output in enumerate(self.aggregation.outputs):
            if output.field is not None:
                column = self.table.column(output.field)
                if output.part:
                    column = part_sql(column, output.field.type, output.part, output.time_zone, self.dialect)
                columns.append(column.label(f"v{number}"))
        return sa.select(*columns).select_from(self.table.sql).where(*conditions).subquery("records")

    def _groups(self, inner: Any) -> list[Element]:
        return [inner.c[f"v{n}"] for n, o in enumerate(self.aggregation.outputs) if o.is_group]

    def _columns(self, inner: Any, number: int, output: Output) -> list[Element]:
        """What is selected for an output: one column, or the halves of a sum, and the count for an average."""
        if output.field is None:
            return [sa.func.count()]
        column = inner.c[f"v{number}"]
        match output.function:
            case "":
                return [column]
            case "count":
                return [sa.func.count(column)]
            case "count_distinct":
                return [sa.func.count(sa.distinct(column))]
            case "min" | "max":
                if output.type.column(self.dialect) == "uuid":
                    column = sa.cast(column, sa.Text()).collate("C")
                return [sa.func.min(column) if output.function == "min" else sa.func.max(column)]
            case "sum":
                return self._sum(column, output)
            case _:
                return [*self._sum(column, output), sa.func.count(column)]

    def _sum(self, column: Element, output: Output) -> list[Element]:
        assert output.field is not None
        is_float = output.field.type.name == "float"
        if self.dialect != "sqlite":
            if is_float:
                column = sa.cast(column, sa.Text())
            return [sa.func.sum(sa.cast(column, sa.Numeric()))]
        if is_float:
            return [sa.func.stackyard_sum(column)]
        high = column.op(">>")(sa.literal_column("32"))
        return [sa.func.sum(high), sa.func.sum(column.op("&")(sa.literal_column(_LOW)))]

    def _order(self, inner: Any, name: str, down: bool) -> list[Element]:
        """ORDER BY one output: null before every value."""
        number, output = next((n, o) for n, o in enumerate(self.aggregation.outputs) if o.name == name)
        columns = self._columns(inner, number, output)
        if output.function == "sum":
            columns = self._sum_order(columns)
        elif output.function == "avg":
            columns = [self._average_order(columns, output)]
        return [self._directed(column, down) for column in columns]

    def _sum_order(self, columns: list[Element]) -> list[Element]:
        zero: Element = sa.literal_column("0")
        if self.dialect != "sqlite":
            return [sa.func.coalesce(columns[0], zero)]
        if len(columns) == 1:
            return [sa.func.coalesce(sa.func.stackyard_float(columns[0]), zero)]
        high, low = (sa.func.coalesce(column, zero) for column in columns)
        carried = low.op(">>")(sa.literal_column("32"))
        return [high.op("+")(carried), low.op("&")(sa.literal_column(_LOW))]

    def _average_order(self, columns: list[Element], output: Output) -> Element:
        if self.dialect != "sqlite":
            return columns[0] / sa.func.nullif(columns[1], sa.literal_column("0"))
        return sa.func.stackyard_ratio(*columns)

    def _directed(self, column: Element, down: bool) -> Element:
        ordered = sa.desc(column) if down else sa.asc(column)
        if self.dialect == "sqlite":
            return ordered
        return ordered.nulls_last() if down else ordered.nulls_first()


class AggregateLoader:
    """Makes records of the rows of `AggregateSql.select`."""

    def __init__(self, aggregation: Aggregation, dialect: str) -> None:
        self._parts: list[tuple[str, Callable[[Row], Any]]] = []
        place = 0
        for output in aggregation.outputs:
            width = _width(output, dialect)
            self._parts.append((output.name, _loader(output, dialect, place, width)))
            place += width

    def load(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """One record a row."""
        return [{name: load(row) for name, load in self._parts} for row in rows]


def _width(output: Output, dialect: str) -> int:
    halves = (
        2 if dialect == "sqlite" and output.field is not None and output.field.type.name != "float" else 1
    )
    return {"sum": halves, "avg": halves + 1}.get(output.function, 1)


def _loader(output: Output, dialect: str, place: int, width: int) -> Callable[[Row], Any]:
    if output.function in ("sum", "avg"):
        assert output.field is not None
        of = output.field.type
        end = place + width

        def total(row: Row) -> Decimal | int | None:
            return _total(row[place : end - (output.function == "avg")], of, dialect)

        if output.function == "sum":
            return lambda row: _sum_value(total(row), of)
        return lambda row: average(total(row), row[end - 1], of)
    if output.function in ("min", "max") and output.type.column(dialect) == "uuid":
        return lambda row: row[place]
    kept = output.type

    def plain(row: Row) -> Any:
        raw = row[place]
        return raw if raw is None else kept.load(raw, dialect)

    return plain


def _total(parts: Row, of: FieldType, dialect: str) -> Decimal | int | None:
    """The exact sum; an int for whole numbers."""
    if parts[0] is None:
        return None
    if len(parts) == 1:
        return int(parts[0]) if of.value_type.name == "int" else Decimal(parts[0])
    whole = int(parts[0]) * _HALF + int(parts[1])
    scale = getattr(of, "scale", 0)
    return whole if of.value_type.name == "int" else Decimal(whole).scaleb(-scale, context=_EXACT)


def _sum_value(total: Decimal | int | None, of: FieldType) -> Any:
    if of.name == "float":
        return _as_float(Decimal(total or 0))
    if total is None:
        return 0 if of.value_type.name == "int" else Decimal(0).scaleb(-getattr(of, "scale", 0))
    # JSON has no whole numbers past 64 bits here; a Decimal is written with all its digits.
    return total if isinstance(total, Decimal) or abs(total) < 2**63 else Decimal(total)


def average(total: Decimal | int | None, count: int, of: FieldType) -> float | Decimal | None:
    """The average of a sum: a decimal's to six places more than it has, else the nearest double."""
    if total is None or not count:
        return None
    if isinstance(total, int):
        return total / count
    exact = Context(prec=60).divide(total, Decimal(count))
    if of.name == "float":
        return _as_float(exact)
    places = getattr(of, "scale", 0) + AVERAGE_PLACES
    least = Decimal(1).scaleb(-places)
    exponent = exact.as_tuple().exponent
    return exact.quantize(least) if isinstance(exponent, int) and -exponent > places else exact


def _as_float(number: Decimal) -> float | None:
    made = float(number)
    return made if made - made == 0 else None


class ExactSum:
    """SQLite's `stackyard_sum`: doubles added by the digits they are written with; the text of the sum, or null."""

    def __init__(self) -> None:
        self._sum: Decimal | None = None

    def step(self, number: float | None) -> None:
        """One more."""
        if number is not None:
            given = Decimal(repr(number))
            self._sum = given if self._sum is None else _EXACT.add(self._sum, given)

    def finalize(self) -> str | None:
        """The sum."""
        return None if self._sum is None else str(self._sum)


def as_float(text: str | None) -> float | None:
    """SQLite's `stackyard_float`: the double nearest to a sum's text."""
    return None if text is None else float(text)


def ratio(*parts: Any) -> float | None:
    """SQLite's `stackyard_ratio`: the average of a sum (a text, or two halves) and a count, to sort by."""
    *total, count = parts
    if total[0] is None or not count:
        return None
    if len(total) == 1:
        return _as_float(Context(prec=60).divide(Decimal(total[0]), Decimal(count)))
    return float((total[0] * _HALF + total[1]) / count)
