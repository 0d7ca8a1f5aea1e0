"""The end of a conversion: the columns change places in one transaction, or everything is as it was."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.utils import timezone

from stackyard.core.errors import Detail, Problem
from stackyard.core.version import bump
from stackyard.runs.models import Run
from stackyard.tables import ddl
from stackyard.tables.dropping import drop_later
from stackyard.tables.mirrors import Mirror
from stackyard.tables.models import Conversion, Field, Index
from stackyard.tables.narrowing import ask

from . import tracking
from .batches import Batches, Counts

KIND = "conversion"
UNDONE_SECONDS = 600.0
"""A column that came to nothing goes when the last request that may write it has ended."""


def switch(conversion: Conversion, counts: Counts, *, is_tracked: bool = True) -> bool:
    """Put the new column in the old one's place. Called within `alter`; False when the queue is too long for one lock.

    Problem `CONFLICT` when cells can't be converted and that is to be refused, or published stacks need the old type.
    """
    table = conversion.field.table
    if is_tracked:
        for one in table.each_source():
            if connection.vendor == "postgresql":
                ddl.run(f"LOCK TABLE {ddl.table_name(one)} IN SHARE ROW EXCLUSIVE MODE")
            if Batches(conversion, one.source).drain(counts, is_last=True):
                return False
    check_refused(conversion, counts)
    field, shadow = conversion.field, conversion.shadow
    old, new = field.physical, shadow.physical
    swap(conversion)
    tracking.refuse(table, old, new)
    Conversion.objects.filter(pk=conversion.pk).update(state=Conversion.SWITCHED, ended_at=timezone.now())
    bump(table.workspace_id)
    ask(table.workspace_id, field.name)
    drop_later(table, shadow)
    return True


def swap(conversion: Conversion) -> None:
    """Exchange columns, types and rules of the field and its shadow, and the indexes of the two."""
    field, shadow = conversion.field, conversion.shadow
    wanted = conversion.wanted
    field.column, shadow.column = shadow.column or shadow.pk, field.column or field.pk
    for name in ("type", "options", "required", "default"):
        setattr(shadow, name, getattr(field, name))
    for name in ("type", "options", "required", "default", "access", "description"):
        setattr(field, name, wanted[name])
    field.save()
    shadow.save()
    for before, after in conversion.indexes:
        _exchange(field.pk, shadow.pk, Index.objects.filter(pk=before).first(), hide=True)
        _exchange(field.pk, shadow.pk, Index.objects.filter(pk=after).first(), hide=False)


def _exchange(field: int, shadow: int, index: Index | None, *, hide: bool) -> None:
    if index is None:
        return
    other = {field: shadow, shadow: field}
    index.fields = [{**part, "field": other.get(part["field"], part["field"])} for part in index.fields]
    index.hidden_at = timezone.now() if hide else None
    index.save(update_fields=["fields", "hidden_at"])


def check_refused(conversion: Conversion, counts: Counts) -> None:
    """Problem `CONFLICT` that names the first cells which can't be converted, where that is to be refused."""
    if conversion.on_bad != "refuse" or not counts.refused:
        return
    field = conversion.field
    few = [
        Detail(f"{field.name} of {number}", "value", f"{value}: {reason}")
        for number, value, reason in counts.bad
    ]
    raise Problem(
        "CONFLICT",
        f"{counts.refused:,} values of {field.table.name}.{field.name} can't become {conversion.shadow.type}: "
        f"{few[0].field} is {few[0].message}",
        suggestion="Mend them, or say what they become: null or the default.",
        details=few[:20],
    )


def take_back(run: Run, **_: Any) -> None:
    """A conversion's run has ended without success: nobody writes its column any more, and it goes soon."""
    if run.kind != KIND or run.state == "succeeded":
        return
    for conversion in Conversion.objects.filter(run_id=run.pk, state=Conversion.CONVERTING):
        undo(conversion)


def undo(conversion: Conversion) -> None:
    """Take a conversion back: the field is what it was, and the new column goes when nobody writes it any more."""
    Conversion.objects.filter(pk=conversion.pk).update(state=Conversion.UNDONE, ended_at=timezone.now())
    shadow: Field = conversion.shadow
    bump(shadow.table.workspace_id)
    _forget_mirrors(conversion)
    drop_later(shadow.table, shadow, UNDONE_SECONDS)


def _forget_mirrors(conversion: Conversion) -> None:
    """SQLite: indexes of the new column that were being built."""
    if connection.vendor != "sqlite":
        return
    plans = [ddl.reference_index(conversion.field.table, conversion.shadow)]
    for _, number in conversion.indexes:
        index = Index.objects.filter(pk=number, built_at=None).first()
        if index is not None:
            plans.append(ddl.index_plan(index))
    for plan in plans:
        for one in plan.each_source():
            Mirror(one).drop()
