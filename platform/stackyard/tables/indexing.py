"""Building and dropping indexes on live tables: at once on a small table, by a run on a large one."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from stackyard.core.errors import Detail, Problem
from stackyard.core.principal import SYSTEM, Principal
from stackyard.runs import dispatch
from stackyard.runs.models import Run

from . import ddl
from .alterations import is_live
from .field_type import FieldType, shown
from .models import Field, Index, Table
from .schema import INDEX_BYTES

KIND = "index"
ATTEMPTS = 20
AT_ONCE = 20_000
"""Up to so many records an index is built by whoever asks for it; that holds SQLite's write lock for some 30 ms."""


def is_large(table: Table) -> bool:
    """Whether its indexes are built by runs."""
    return ddl.has_more_than(table, AT_ONCE)


def build_later(
    table: Table,
    index: Index | None,
    field: Field | None = None,
    *,
    principal: Principal = SYSTEM,
    trigger: str = "api",
) -> Run:
    """Accept the run that builds an index of the catalogue, or the one that every reference has (`field`)."""
    named = index_names(index) if index is not None else [field.name if field is not None else ""]
    run = dispatch.start(
        KIND,
        table.workspace,
        table.pk,
        target_name=f"{table.name}({', '.join(named)})"[:100],
        input={
            "index": None if index is None else index.pk,
            "field": None if field is None else field.pk,
            "fields": named,
            "unique": index is not None and index.unique,
        },
        principal=principal,
        trigger=trigger,
        retry_safe=True,
        max_attempts=ATTEMPTS,
    )
    if index is not None:
        index.run_id = run.pk
        index.save(update_fields=["run_id"])
    return run


def build_run(index: Index) -> Run | None:
    """The run that is to build it, or could not; None for an index that is built."""
    if index.built_at is not None or index.run_id is None:
        return None
    return Run.objects.filter(pk=index.run_id).first()


def cancel_build(index: Index) -> bool:
    """Cancel the run that is to build an index, if there is one; what it left goes with its end."""
    run = build_run(index)
    if run is None or run.is_finished:
        return False
    index.hidden_at = timezone.now()
    index.save(update_fields=["hidden_at"])
    dispatch.cancel(run)
    return True


def index_names(index: Index) -> list[str]:
    """The fields of an index as people write them: `-name` is descending."""
    signs = ["-" if part["descending"] else "" for part in index.fields]
    fields = fields_of(index)
    return [
        f"{sign}{field.name if isinstance(field, Field) else field}"
        for sign, field in zip(signs, fields, strict=True)
    ]


def build_index(index: Index) -> None:
    """Build an index of the catalogue now, then mark it as built; on failure nothing of it stays.

    Problem `CONFLICT` for values that are there twice, or texts too long for an index.
    """
    plan = ddl.index_plan(index)
    live = is_live()
    try:
        check_values(index, plan)
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
        found = doubles(index, plan)
        index.delete()
        if found is None:
            raise
        raise found from None
    index.built_at = timezone.now()
    index.save(update_fields=["built_at"])


def check_values(index: Index, plan: ddl.IndexPlan) -> None:
    """Problem `CONFLICT` for values that are there twice, or texts too long for an index. Nothing is changed."""
    _check_lengths(index)
    if index.unique:
        found = doubles(index, plan)
        if found is not None:
            raise found


def add_unique(field: Field) -> Index:
    """Make a field unique by an index of its own; on a large table it is when the index is built."""
    index = Index.objects.create(
        table=field.table, fields=[{"field": field.pk, "descending": False}], unique=True
    )
    if is_large(field.table):
        build_later(field.table, index)
    else:
        build_index(index)
    return index


def fields_of(index: Index) -> list[Field | str]:
    """The fields of an index; `id` and `created_at` by name."""
    by_id = {field.pk: field for field in index.table.fields.all()}
    return [by_id.get(part["field"], part["field"]) for part in index.fields]


def _check_lengths(index: Index) -> None:
    texts = [f for f in fields_of(index) if isinstance(f, Field) and f.type in ("text", "enum")]
    for field in texts:
        most = INDEX_BYTES // len(texts)
        if ddl.longest(index.table, field) > most:
            raise Problem(
                "CONFLICT",
                f"{field.name} holds texts of more than {most:,} bytes, too long for an index.",
                suggestion="Shorten them, or index another field.",
            )


def doubles(index: Index, plan: ddl.IndexPlan) -> Problem | None:
    """The Problem that shows up to five values which are there more than once."""
    rows = ddl.duplicates(plan)
    if not rows:
        return None
    fields = fields_of(index)
    names = [field.name if isinstance(field, Field) else field for field in fields]
    details = [
        Detail(
            ", ".join(names),
            "taken",
            f"{', '.join(shown_cell(f, raw) for f, raw in zip(fields, row, strict=False))} is there {row[-1]:,} times",
        )
        for row in rows
    ]
    return Problem(
        "CONFLICT",
        f"{', '.join(names)} can't be unique: {details[0].message}.",
        suggestion="Make the values different first.",
        details=details,
    )


def shown_cell(field: Field | str, raw: Any) -> str:
    """A column's content, as Django's cursor gives it, for a message."""
    if not isinstance(field, Field):
        return str(raw)
    kind = FieldType.get(field.type)(field.options)
    # Through Django's cursor a column may come in another form than through the store's own.
    value = kind.load(raw, connection.vendor) if not isinstance(raw, str) else raw
    return shown(kind.to_json(value))
