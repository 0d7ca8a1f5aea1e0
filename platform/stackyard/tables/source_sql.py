"""A `Source` in SQL: the table with its joins as what is selected from, computed fields as expressions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from .computed_sql import computed_sql
from .definitions import FieldDef, Schema, TableDef
from .sources import Join, Source
from .sql import Element, TableSql, table_sql


class SourceSql(TableSql):
    """Stands where a `TableSql` does."""

    def __init__(self, schema: Schema, source: Source) -> None:
        super().__init__(source, schema.dialect, schema.folding)
        base = table_sql(schema, schema.tables_by_id[source.id])
        self.base = base.sql
        self._columns: dict[str, Element] = {f.name: base.sql.c[f.column] for f in base.table.fields.values()}
        self.froms = (base.sql,)
        self.sql: Any = base.sql
        for join in source.joins:
            self._join(schema, join)
        for one in source.computed:
            made = computed_sql(one, self.column, schema.dialect, schema.folding)
            self._columns[one.name] = made

    def _join(self, schema: Schema, join: Join) -> None:
        beside = table_sql(schema, join.table).sql.alias(join.name)
        meets = [beside.c[mine.column] == self._columns[theirs.name] for mine, theirs in join.match]
        self.sql = self.sql.join(beside, sa.and_(*meets), isouter=not join.is_inner)
        self.froms = (*self.froms, beside)
        for field in join.table.fields.values():
            self._columns[f"{join.alias}.{field.name}"] = beside.c[field.column]

    def column(self, field: FieldDef) -> Element:
        """The column or the expression of a field."""
        return self._columns[field.name]


def source_sql(schema: Schema, table: TableDef) -> TableSql:
    """The SQLAlchemy form of a table or a Source, kept with the schema's statements."""
    if not isinstance(table, Source):
        return table_sql(schema, table)
    made: TableSql = schema.statements.make(("source", table.key), lambda: SourceSql(schema, table))
    return made
