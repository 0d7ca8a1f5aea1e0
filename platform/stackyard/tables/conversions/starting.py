"""Beginning a change of type: at once on a small table, as a run on a large one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from stackyard.core.errors import Problem
from stackyard.core.principal import SYSTEM, Principal
from stackyard.core.version import bump
from stackyard.runs import dispatch
from stackyard.runs.models import Run
from stackyard.tables import ddl
from stackyard.tables.alterations import alter
from stackyard.tables.indexing import build_index
from stackyard.tables.models import Conversion, Field, Index
from stackyard.tables.narrowing import ask
from stackyard.tables.specs import FieldSpec, is_fixed_change

from . import tracking
from .batches import Batches, Counts
from .planning import AT_ONCE, read_wanted
from .switching import KIND, swap, switch

ATTEMPTS = 20


def retype(
    field: Field,
    changes: Mapping[str, Any],
    *,
    on_bad: str = "refuse",
    principal: Principal = SYSTEM,
    trigger: str = "api",
) -> Run | None:
    """Change a field's type, or an option that its stored values depend on.

    `on_bad` says what becomes of cells that can't be converted: `refuse` (the whole change is taken back), `null` or
    `default`. A small table is done when this returns (None); a large one is converted by the run that is given, and until
    that has ended the field is what it was. Problem `INVALID_INPUT` with every fault, `CONFLICT` for cells that can't be
    converted, for another conversion under way, or for published stacks that need the old type.
    """
    made = read_wanted(field, changes, on_bad)
    if not is_fixed_change(field, made):
        raise Problem("INVALID_INPUT", "Neither the type nor what the stored values depend on would change.")
    is_small = not any(
        ddl.run(f"SELECT 1 FROM {ddl.table_name(one)} LIMIT 1 OFFSET {AT_ONCE}")
        for one in field.table.each_source()
    )

    def begin() -> Run | None:
        conversion = _begin(field, made, on_bad)
        if is_small:
            _do_at_once(conversion)
            return None
        tracking.watch(field.table, field, conversion.shadow)
        _ask_beforehand(conversion)
        run = dispatch.start(
            KIND,
            field.table.workspace,
            field.table_id,
            target_name=f"{field.table.name}.{field.name}"[:100],
            input={"conversion": conversion.pk, "field": field.name, "from": field.type, "to": made.type},
            principal=principal,
            trigger=trigger,
            retry_safe=True,
            max_attempts=ATTEMPTS,
        )
        Conversion.objects.filter(pk=conversion.pk).update(run_id=run.pk)
        bump(field.table.workspace_id)
        return run

    return alter(field.table.workspace_id, begin)


def _begin(field: Field, made: FieldSpec, on_bad: str) -> Conversion:
    """The second column, which nobody sees, and what is to become of it."""
    shadow = Field.objects.create(
        table=field.table,
        name=field.name,
        type=made.type,
        options=made.options,
        required=made.required,
        default=made.default,
        access=made.access,
        position=field.position,
        hidden_at=timezone.now(),
    )
    ddl.add_column(field.table, shadow)
    names = ("type", "options", "required", "default", "access", "description")
    conversion = Conversion.objects.create(
        field=field, shadow=shadow, on_bad=on_bad, wanted={name: getattr(made, name) for name in names}
    )
    conversion.indexes = [[index.pk, _twin(index, field, shadow).pk] for index in indexes_of(field)]
    conversion.save(update_fields=["indexes"])
    return conversion


def indexes_of(field: Field) -> list[Index]:
    """The visible indexes that a field is part of."""
    indexes = field.table.indexes.filter(hidden_at=None)
    return [index for index in indexes if any(part["field"] == field.pk for part in index.fields)]


def _twin(index: Index, field: Field, shadow: Field) -> Index:
    parts = [
        {**part, "field": shadow.pk if part["field"] == field.pk else part["field"]} for part in index.fields
    ]
    return Index.objects.create(
        table=index.table, fields=parts, unique=index.unique, hidden_at=timezone.now()
    )


def _do_at_once(conversion: Conversion) -> None:
    """Within one transaction, which holds the table since the column was added: no triggers, no batches."""
    counts = Counts()
    for table in conversion.field.table.each_source():
        batches, reached, last = Batches(conversion, table.source), 0, ddl.last_id_in(table)
        while reached < last:
            reached = batches.convert_after(reached, last, counts)
    _build_indexes(conversion)
    switch(conversion, counts, is_tracked=False)


def plans_of(conversion: Conversion) -> list[tuple[ddl.IndexPlan, Index | None]]:
    """The new column's indexes; the one that every reference has is not in the catalogue."""
    table, shadow = conversion.field.table, conversion.shadow
    twins = [Index.objects.get(pk=number) for _, number in conversion.indexes]
    plans: list[tuple[ddl.IndexPlan, Index | None]] = [(ddl.index_plan(index), index) for index in twins]
    if shadow.type == "reference":
        plans.append((ddl.reference_index(table, shadow), None))
    return plans


def mark_built(index: Index | None) -> None:
    """An index of the new column is there; it is seen after the switch."""
    if index is not None:
        Index.objects.filter(pk=index.pk).update(built_at=timezone.now())


def _build_indexes(conversion: Conversion) -> None:
    """The new column's indexes on a small table. Problem `CONFLICT` for doubled values."""
    for plan, index in plans_of(conversion):
        if index is None:
            ddl.build(plan)
        else:
            build_index(index)


def _ask_beforehand(conversion: Conversion) -> None:
    """Whether published stacks could live with the new type, asked before all the work."""
    with transaction.atomic():
        # Objects of its own: what is taken back in the database would stay in these.
        swap(Conversion.objects.get(pk=conversion.pk))
        ask(conversion.field.table.workspace_id, conversion.field.name)
        transaction.set_rollback(True)
