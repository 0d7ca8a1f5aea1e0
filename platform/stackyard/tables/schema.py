"""Loading a workspace's schema from the catalogue, once per version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from django.db import connection

from stackyard.core.bounded import Bounded
from stackyard.core.data_source import LIVE, SOURCES, TEST, no_test_data
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.core.version import workspace_versions

from .conversions.casting import Cast
from .definitions import FieldDef, IndexDef, Schema, Shadow, TableDef
from .field_type import FieldType
from .models import Conversion, Field, Index, Table

__all__ = ["FieldDef", "IndexDef", "Schema", "TableDef", "fresh_schema", "load_schema"]

# PostgreSQL refuses an index entry over 2,704 bytes; both databases keep to the same bound.
INDEX_BYTES = 2_600

_schemas = {source: Bounded(200) for source in SOURCES}


def load_schema(workspace_id: int, source: str = LIVE) -> Schema:
    """The schema at the workspace's present version, for one data source.

    Problem `NOT_FOUND` when there is no such workspace, `INVALID_INPUT` when it has no test data and that is asked for.
    """
    version = workspace_versions.get().get(workspace_id)
    if version is None:
        raise Problem("NOT_FOUND", f"There is no workspace {workspace_id}.")
    held: Schema | None = _schemas[source].get(workspace_id)
    if held is not None and held.version == version and held.dialect == connection.vendor:
        return held
    return _keep(_read(workspace_id, version, source))


def fresh_schema(workspace_id: int, source: str = LIVE) -> Schema:
    """The schema as the catalogue says now, whatever this process believes to be the version."""
    version = Workspace.objects.values_list("version", flat=True).filter(pk=workspace_id).first()
    if version is None:
        raise Problem("NOT_FOUND", f"There is no workspace {workspace_id}.")
    read = _read(workspace_id, version, source)
    # Within a transaction the catalogue may be ahead of its version.
    return read if connection.in_atomic_block else _keep(read)


def _keep(schema: Schema) -> Schema:
    _schemas[schema.source].put(schema.workspace_id, schema)
    return schema


def namespace(workspace_id: int) -> str | None:
    """The SQL schema that holds a workspace's tables; SQLite has none."""
    return f"ws{workspace_id}" if connection.vendor == "postgresql" else None


def _read(workspace_id: int, version: int, source: str) -> Schema:
    if source == TEST and not Workspace.objects.filter(pk=workspace_id, has_test_data=True).exists():
        raise no_test_data()
    tables = [table.of(source) for table in Table.objects.filter(workspace_id=workspace_id, hidden_at=None)]
    fields = _by_table(Field.objects.filter(table__in=tables, hidden_at=None))
    indexes = _by_table(Index.objects.filter(table__in=tables, hidden_at=None))
    shadows = {made.field_id: _shadow(made) for made in _conversions(tables)}
    made = [_table(table, fields.get(table.pk, []), indexes.get(table.pk, []), shadows) for table in tables]
    by_name = {table.name: table for table in made}
    return Schema(workspace_id, version, by_name, connection.vendor, _folding(), source)


@cache
def _icu_is_there() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'")
        return cursor.fetchone() is not None


def _folding() -> str:
    """The collation for lower case of all alphabets; a PostgreSQL without ICU has only the database's own."""
    return "und-x-icu" if connection.vendor == "postgresql" and _icu_is_there() else "default"


def _by_table(rows: Iterable[Any]) -> dict[int, list[Any]]:
    grouped: dict[int, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row.table_id, []).append(row)
    return grouped


def system_fields() -> tuple[FieldDef, FieldDef]:
    """`id` and `created_at`, which every table has."""
    return (
        FieldDef(0, "id", "id", FieldType.get("int")(), required=True, unique=True),
        FieldDef(0, "created_at", "created_at", FieldType.get("timestamp")(), required=True),
    )


def _conversions(tables: list[Table]) -> Iterable[Conversion]:
    under_way = Conversion.objects.filter(state=Conversion.CONVERTING, field__table__in=tables)
    return under_way.select_related("field", "shadow")


def _shadow(conversion: Conversion) -> Shadow:
    """The second column of a field that is being converted."""
    shadow, field = conversion.shadow, conversion.field
    cast = Cast(FieldType.get(field.type)(field.options), FieldType.get(shadow.type)(shadow.options))
    default = shadow.default if conversion.on_bad == "default" else None
    return Shadow(shadow.physical, cast.new, cast.binder(connection.vendor, default))


def _table(
    table: Table, fields: list[Field], indexes: list[Index], shadows: Mapping[int, Shadow]
) -> TableDef:
    names: dict[Any, str] = {"id": "id", "created_at": "created_at", **{f.pk: f.name for f in fields}}
    made = [(index.built_at is not None, _index(index, names, table.source)) for index in indexes]
    known = [index for is_built, index in made if index is not None and is_built]
    building = [index for is_built, index in made if index is not None and not is_built]
    budgets = _index_bytes([*known, *building], {f.name: f.type for f in fields})
    unique = {index.fields[0][0] for index in known if index.unique and len(index.fields) == 1}
    definitions = [
        *system_fields(),
        *(_field(f, f.name in unique, budgets.get(f.name), shadows.get(f.pk)) for f in fields),
    ]
    return TableDef(
        id=table.pk,
        name=table.name,
        physical=table.physical,
        namespace=namespace(table.workspace_id),
        fields={f.name: f for f in definitions},
        indexes=tuple(known),
        building=tuple(building),
        description=table.description,
    )


def _field(field: Field, unique: bool, index_bytes: int | None, shadow: Shadow | None) -> FieldDef:
    return FieldDef(
        id=field.pk,
        name=field.name,
        column=field.physical,
        type=FieldType.get(field.type)(field.options),
        required=field.required,
        unique=unique,
        default=field.default,
        access=field.access,
        description=field.description,
        index_bytes=index_bytes,
        shadow=shadow,
    )


def _index(index: Index, names: Mapping[Any, str], source: str) -> IndexDef | None:
    """The index in names; None when one of its fields is hidden, for then it serves nobody."""
    parts = [(names.get(part["field"]), bool(part.get("descending"))) for part in index.fields]
    known = tuple((name, descending) for name, descending in parts if name is not None)
    physical = index.physical if source == LIVE else f"{index.physical}_t"
    return IndexDef(index.pk, physical, known, index.unique) if len(known) == len(parts) else None


def _index_bytes(indexes: Iterable[IndexDef], types: Mapping[str, str]) -> dict[str, int]:
    """How many bytes each indexed text may have, so that the entries of all its indexes fit."""
    budgets: dict[str, int] = {}
    for index in indexes:
        texts = [name for name, _ in index.fields if types.get(name) in ("text", "enum")]
        for name in texts:
            budgets[name] = min(budgets.get(name, INDEX_BYTES), INDEX_BYTES // len(texts))
    return budgets
