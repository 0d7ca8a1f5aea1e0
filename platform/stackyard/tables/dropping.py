"""What was hidden leaves the database later, by a run that waits: until then it can be had back.

PostgreSQL drops a column at once. SQLite would rewrite every record under its one write lock, so a large table's column is
emptied in batches there and stays, out of sight; a table is emptied in batches before it is dropped.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.core.version import bump
from stackyard.runs import dispatch, states
from stackyard.runs.models import Run
from stackyard.runs.run_kind import ClaimedRun, Outcome

from . import ddl
from .alterations import alter
from .conversions import tracking
from .models import Conversion, Field, Table
from .specs import read_name

KIND = "drop"
ATTEMPTS = 20
REWRITTEN_AT_MOST = 20_000
"""How many records SQLite may rewrite at once, for a column to be dropped rather than emptied."""
BATCH = 2_000


def drop_later(table: Table, field: Field | None = None, seconds: float | None = None) -> Run:
    """Accept the run that drops a hidden table or field, after so many seconds (by default the grace time)."""
    wait = settings.DROP_AFTER_SECONDS if seconds is None else seconds
    name = table.name if field is None else f"{table.name}.{field.name}"
    return dispatch.start(
        KIND,
        table.workspace,
        table.pk,
        target_name=name[:100],
        input={"table": table.pk, "field": None if field is None else field.pk},
        trigger="change",
        run_after=timezone.now() + timedelta(seconds=wait),
        retry_safe=True,
        max_attempts=ATTEMPTS,
    )


def dropped(workspace: Workspace) -> list[Run]:
    """The drops that still wait, newest first: what can be had back."""
    waiting = Run.objects.filter(workspace=workspace, kind=KIND, state=states.ACCEPTED)
    shadows = set(
        Conversion.objects.filter(field__table__workspace=workspace).values_list("shadow_id", flat=True)
    )
    return [run for run in waiting if run.input["field"] not in shadows]


def restore(run: Run) -> None:
    """Have back what a waiting drop would take. Problem `CONFLICT` when it is gone, or its name is somebody else's."""
    field = Field.objects.filter(pk=run.input["field"] or 0).first()
    table = Table.objects.filter(pk=run.input["table"]).first()
    thing: Any = field if run.input["field"] else table
    if thing is None or table is None or run.kind != KIND:
        raise Problem("CONFLICT", "It is not there any more.")

    def back() -> None:
        _check_free(thing, table)
        dispatch.cancel(run)
        thing.hidden_at = None
        thing.save(update_fields=["hidden_at"])
        bump(table.workspace_id)

    alter(table.workspace_id, back)


def _check_free(thing: Any, table: Table) -> None:
    from stackyard.core.errors import Faults

    others = table.fields if isinstance(thing, Field) else Table.objects.filter(workspace=table.workspace_id)
    faults = Faults()
    taken = list(others.filter(hidden_at=None).exclude(pk=thing.pk).values_list("name", flat=True))
    read_name(thing.name, taken, faults, ("name",), "field" if isinstance(thing, Field) else "table")
    if faults.found:
        raise Problem(
            "CONFLICT",
            f'There is another "{thing.name}" by now.',
            suggestion="Rename that one, then restore this one.",
        )


class DropJob:
    """One turn of a drop."""

    def __init__(self, claimed: ClaimedRun) -> None:
        self._progress, given = claimed.progress, claimed.run.input
        self._field = Field.objects.filter(pk=given["field"] or 0).select_related("table").first()
        self._is_table = given["field"] is None
        self._table = Table.objects.filter(pk=given["table"]).first()

    def run(self) -> Outcome:
        """Drop it, unless it is seen again or gone already."""
        thing = self._table if self._is_table else self._field
        if thing is None or self._table is None or thing.hidden_at is None:
            return Outcome(states.SUCCEEDED, result={"dropped": False})
        is_over = self._drop_table() if self._is_table else self._drop_field()
        return Outcome(states.SUCCEEDED, result={"dropped": True}) if is_over else Outcome(states.ACCEPTED)

    def _drop_table(self) -> bool:
        table = self._table
        assert table is not None
        if connection.vendor == "sqlite" and not self._in_batches(
            [f"DELETE FROM {ddl.table_name(one)} WHERE id BETWEEN %s AND %s" for one in table.each_source()]
        ):
            return False

        def drop() -> None:
            for conversion in Conversion.objects.filter(field__table=table):
                tracking.unwatch(table, f"c{conversion.shadow_id}")
            ddl.drop_table(table)
            table.delete()

        alter(table.workspace_id, drop)
        return True

    def _drop_field(self) -> bool:
        field = self._field
        assert field is not None
        table, name = field.table, ddl.quoted(field.physical)
        alter(table.workspace_id, lambda: self._forget_parts(field))
        if connection.vendor == "sqlite" and ddl.last_id(table) > REWRITTEN_AT_MOST:
            empty = f"SET {name} = NULL WHERE id BETWEEN %s AND %s AND {name} IS NOT NULL"
            if not self._in_batches([f"UPDATE {ddl.table_name(one)} {empty}" for one in table.each_source()]):
                return False
            Field.objects.filter(pk=field.pk).update(emptied_at=timezone.now())
            return True

        def drop() -> None:
            ddl.drop_column(table, field.physical)
            field.delete()

        alter(table.workspace_id, drop)
        return True

    def _forget_parts(self, field: Field) -> None:
        """The triggers and indexes that name the column."""
        for conversion in Conversion.objects.filter(shadow=field):
            tracking.unwatch(field.table, f"c{conversion.shadow_id}")
        ddl.drop(ddl.reference_index(field.table, field))
        for index in field.table.indexes.exclude(hidden_at=None):
            if any(part["field"] == field.pk for part in index.fields):
                ddl.drop(ddl.index_plan(index))
                index.delete()

    def _in_batches(self, statements: list[str]) -> bool:
        """Run statements over all ids, some thousand at a time; False when the turn is over first."""
        assert self._table is not None
        last = ddl.last_id(self._table)
        reached = (self._progress.position or {"id": 0})["id"]
        while reached < last:
            self._progress.check()
            if self._progress.turn_is_over:
                return False
            until = min(reached + BATCH, last)
            with transaction.atomic():
                for sql in statements:
                    ddl.run(sql, [reached + 1, until])
                self._progress.keep({"id": until}, until, last, "dropping")
            reached = until
        return True
