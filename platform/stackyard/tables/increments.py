"""Adding to a number of a record in one statement, so that no addition is lost between two readers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from stackyard.core.errors import Detail, invalid_input

from .definitions import FieldDef, Schema, TableDef
from .field_type import Refused
from .sql import Statement, compiled, sql_type, table_sql, value
from .types.decimal import DecimalType
from .types.float import FloatType
from .types.int import LEAST, MOST, IntType

if TYPE_CHECKING:
    from .store import Record, Store

LARGEST = 1.797e308


def increment(store: Store, table: TableDef, value_: Any, field: str, by: Any, key: str) -> Record:
    """The record after `by` was added to `field` (null counts as 0).

    Problem `NOT_FOUND`, and `INVALID_INPUT` for a field that is no number, or a sum past the field's limits.
    """
    from .store import bound_key, not_found

    chosen, found = table.field(field), store.key_field(table, key)
    if chosen.is_system or not isinstance(chosen.type, IntType | DecimalType | FloatType):
        raise invalid_input(
            [Detail("field", "type", f"{field} is a {chosen.type.name}, to which nothing is added")]
        )
    amount = _amount(chosen, by)
    least, most = _limits(chosen)
    bound = bound_key(found, value_, store.schema.dialect)
    if bound is None:
        raise not_found(table, key, value_)
    bind = chosen.type.binder(store.schema.dialect) or (lambda number: number)
    # What may stand there before: computed here, since in the database the sum might not fit to be compared.
    binds = {
        "key": bound,
        "by": bind(amount),
        "least": bind(max(least - amount, least)),
        "most": bind(min(most - amount, most)),
    }
    rows = store.write(table, _statement(store.schema, table, found, chosen), binds)
    if rows:
        return store.load(table, rows)[0]
    if not store.has(table, value_, key):
        raise not_found(table, key, value_)
    raise invalid_input([Detail("by", "range", f"{field} must stay between {least:,} and {most:,}")])


def _amount(field: FieldDef, by: Any) -> Any:
    """What is added, in the field's own kind of number."""
    try:
        if isinstance(field.type, DecimalType):
            return DecimalType({"precision": 18, "scale": field.type.scale}).parse(by)
        return (IntType() if isinstance(field.type, IntType) else FloatType()).parse(by)
    except Refused as refused:
        raise invalid_input([Detail("by", fault.code, fault.message) for fault in refused.faults]) from None


def _limits(field: FieldDef) -> tuple[Any, Any]:
    """The least and greatest value that the field takes."""
    options = field.type.options
    least, most = options["min"], options["max"]
    if isinstance(field.type, DecimalType):
        scale = field.type.scale
        edge = Decimal(10) ** (options["precision"] - scale) - Decimal(1).scaleb(-scale)
        low = -edge if least is None else max(-edge, Decimal(str(least)))
        return low, edge if most is None else min(edge, Decimal(str(most)))
    edges = (LEAST, MOST) if isinstance(field.type, IntType) else (-LARGEST, LARGEST)
    return edges[0] if least is None else max(edges[0], least), edges[1] if most is None else min(
        edges[1], most
    )


def _statement(schema: Schema, table: TableDef, key: FieldDef, field: FieldDef) -> Statement:
    def build() -> Any:
        known = table_sql(schema, table)
        kind = sql_type(field, schema.dialect)
        held = sa.func.coalesce(known.column(field), sa.literal_column("0"))
        found = known.column(key) == value("key", sql_type(key, schema.dialect))
        fits = held.between(value("least", kind), value("most", kind))
        made = sa.update(known.sql).values({field.column: held + value("by", kind)}).where(found, fits)
        return made.returning(*known.columns(table.public_fields))

    made: Statement = schema.statements.make(
        ("increment", table.id, key.column, field.column), lambda: compiled(build(), schema.dialect)
    )
    return made
