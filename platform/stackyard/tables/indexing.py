"""Building and dropping indexes on live tables."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from stackyard.core.errors import Detail, Problem

from . import ddl
from .alterations import is_live
from .field_type import FieldType, shown
from .models import Field, Index
from .schema import INDEX_BYTES


def build_index(index: Index) -> None:
    """Build an index of the catalogue, then mark it as built; on failure nothing of it stays.

    Problem `CONFLICT` for values that are there twice, or texts too long for an index.
    """
    plan = ddl.index_plan(index)
    live = is_live()
    try:
        _check_lengths(index)
        if index.unique:
            _check_duplicates(index, plan)
        if live:
            ddl.drop(plan, concurrently=True)
            ddl.build(plan, concurrently=True)
        else:
            with transaction.atomic():
                ddl.build(plan)
    except Problem:
        index.delete()
        raise
    except (IntegrityError, OperationalError):
        # A double came between the question and the build.
        if live:
            ddl.drop(plan, concurrently=True)
        found = _duplicates(index, plan)
        index.delete()
        if found is None:
            raise
        raise found from None
    index.built_at = timezone.now()
    index.save(update_fields=["built_at"])


def add_unique(field: Field) -> Index:
    """Make a field unique by an index of its own."""
    index = Index.objects.create(
        table=field.table, fields=[{"field": field.pk, "descending": False}], unique=True
    )
    build_index(index)
    return index


def _fields(index: Index) -> list[Field | str]:
    by_id = {field.pk: field for field in index.table.fields.all()}
    return [by_id.get(part["field"], part["field"]) for part in index.fields]


def _check_lengths(index: Index) -> None:
    texts = [f for f in _fields(index) if isinstance(f, Field) and f.type in ("text", "enum")]
    for field in texts:
        most = INDEX_BYTES // len(texts)
        if ddl.longest(index.table, field) > most:
            raise Problem(
                "CONFLICT",
                f"{field.name} holds texts of more than {most:,} bytes, too long for an index.",
                suggestion="Shorten them, or index another field.",
            )


def _check_duplicates(index: Index, plan: ddl.IndexPlan) -> None:
    found = _duplicates(index, plan)
    if found is not None:
        raise found


def _duplicates(index: Index, plan: ddl.IndexPlan) -> Problem | None:
    """The Problem that shows up to five values which are there more than once."""
    rows = ddl.duplicates(plan)
    if not rows:
        return None
    fields = _fields(index)
    names = [field.name if isinstance(field, Field) else field for field in fields]
    details = [
        Detail(
            ", ".join(names),
            "taken",
            f"{', '.join(_shown(f, raw) for f, raw in zip(fields, row, strict=False))} is there {row[-1]:,} times",
        )
        for row in rows
    ]
    return Problem(
        "CONFLICT",
        f"{', '.join(names)} can't be unique: {details[0].message}.",
        suggestion="Make the values different first.",
        details=details,
    )


def _shown(field: Field | str, raw: Any) -> str:
    if not isinstance(field, Field):
        return str(raw)
    kind = FieldType.get(field.type)(field.options)
    # Through Django's cursor a column may come in another form than through the store's own.
    value = kind.load(raw, connection.vendor) if not isinstance(raw, str) else raw
    return shown(kind.to_json(value))
