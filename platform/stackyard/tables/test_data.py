"""Test data of a workspace: a second SQL table beside each, made, filled from the live ones, emptied, taken away.

Every table has both from then on, and every change of tables changes both (`ddl`). What fills or empties is done at once
for little, else by a run in batches of ids; nobody is told of the single records, and no trigger starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.dispatch import Signal

from stackyard.core.data_source import LIVE, TEST, no_test_data
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.core.principal import SYSTEM, Principal
from stackyard.core.version import bump
from stackyard.runs import dispatch, states
from stackyard.runs.models import Run
from stackyard.runs.run_kind import ClaimedRun, Outcome

from . import ddl
from .alterations import alter
from .conversions import tracking
from .models import Conversion, Table

KIND = "test_data"
COPY, EMPTY = "copy", "empty"
AT_ONCE = 5_000
"""How many records (live and test) are copied or deleted while somebody waits."""
BATCH = 2_000
ATTEMPTS = 20

replaced = Signal()
"""The records of a workspace's test data are others now. `workspace_id`; sent in the transaction that does it."""


def make(workspace: Workspace) -> bool:
    """Give a workspace test data, empty at first; False when it has some already.

    Problem `CONFLICT` while a field is being converted or an index built.
    """

    def begin() -> bool:
        if _has(workspace):
            return False
        _refuse_while_converting(workspace)
        for table in Table.objects.filter(workspace=workspace):
            _make_twin(table)
        _mark(workspace, True)
        return True

    return alter(workspace.pk, begin)


def remove(workspace: Workspace) -> bool:
    """Take a workspace's test data away, with all its records; False when it has none."""

    def end() -> bool:
        if not _has(workspace):
            return False
        _refuse_while_converting(workspace)
        for table in Table.objects.filter(workspace=workspace):
            for conversion in Conversion.objects.filter(field__table=table):
                tracking.unwatch_one(table.of(TEST), f"c{conversion.shadow_id}")
            ddl.run(f"DROP TABLE IF EXISTS {ddl.table_name(table.of(TEST))}")
        _mark(workspace, False)
        replaced.send(sender=Workspace, workspace_id=workspace.pk)
        return True

    return alter(workspace.pk, end)


def _has(workspace: Workspace) -> bool:
    return Workspace.objects.filter(pk=workspace.pk, has_test_data=True).exists()


def _mark(workspace: Workspace, has_test_data: bool) -> None:
    workspace.has_test_data = has_test_data
    workspace.save(update_fields=["has_test_data"])
    bump(workspace.pk)


def _refuse_while_converting(workspace: Workspace) -> None:
    busy = Run.objects.filter(
        workspace=workspace, kind__in=("index", KIND), state__in=(states.ACCEPTED, states.RUNNING)
    ).first()
    if busy is not None:
        raise Problem(
            "CONFLICT",
            f"A run ({busy.kind}: {busy.target_name}) is at work on the tables.",
            suggestion="Try again when that has ended.",
        )
    under_way = Conversion.objects.filter(field__table__workspace=workspace, state=Conversion.CONVERTING)
    first = under_way.select_related("field__table").first()
    if first is not None:
        raise Problem(
            "CONFLICT",
            f"{first.field.table.name}.{first.field.name} is being converted to another type.",
            suggestion="Try again when that has ended.",
        )


def _make_twin(table: Table) -> None:
    """The second SQL table: the columns that the first one has, those of dropped fields too, and its indexes."""
    there = set(ddl.columns_of(table))
    if not there:
        return
    twin = table.of(TEST)
    ddl.create_one(twin, [field for field in table.fields.all() if field.physical in there])
    for index in table.indexes.filter(hidden_at=None):
        plan = ddl.index_plan(index)
        if all(column in there for column, _ in plan.columns):
            ddl.build_one(ddl.IndexPlan(twin, plan.name, plan.columns, plan.unique))


def copy(
    workspace: Workspace,
    tables: Sequence[str] | None = None,
    *,
    principal: Principal = SYSTEM,
    trigger: str = "api",
) -> Run | None:
    """Put copies of the live records in the place of the test records, of all tables or of those named.

    Little is done when this returns (None), all in one transaction; much by the run that is given. Problem
    `INVALID_INPUT` for a table that is not there or a workspace without test data.
    """
    return _start(COPY, workspace, tables, principal, trigger)


def empty(
    workspace: Workspace,
    tables: Sequence[str] | None = None,
    *,
    principal: Principal = SYSTEM,
    trigger: str = "api",
) -> Run | None:
    """Delete the test records, of all tables or of those named; as `copy`."""
    return _start(EMPTY, workspace, tables, principal, trigger)


def _start(
    deed: str, workspace: Workspace, names: Sequence[str] | None, principal: Principal, trigger: str
) -> Run | None:
    if not _has(workspace):
        raise no_test_data()
    known = {table.name: table for table in Table.objects.filter(workspace=workspace, hidden_at=None)}
    for name in names or ():
        if name not in known:
            raise Problem("INVALID_INPUT", f'There is no table "{name}".')
    chosen = list(known.values()) if names is None else [known[name] for name in dict.fromkeys(names)]
    if sum(_records(table, source) for table in chosen for source in (LIVE, TEST)) <= AT_ONCE:
        with transaction.atomic():
            for table in chosen:
                _delete(table, 0, ddl.last_id_in(table.of(TEST)))
            for table in chosen if deed == COPY else ():
                _copy(table, 0, ddl.last_id_in(table))
                _move_sequence(table)
            replaced.send(sender=Workspace, workspace_id=workspace.pk)
        return None
    return dispatch.start(
        KIND,
        workspace,
        workspace.pk,
        target_name="test data",
        input={"deed": deed, "tables": [table.pk for table in chosen]},
        principal=principal,
        trigger=trigger,
        retry_safe=True,
        max_attempts=ATTEMPTS,
        data_source=TEST,
    )


def _records(table: Table, source: str) -> int:
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {ddl.table_name(table.of(source))} LIMIT {AT_ONCE + 1}) AS counted"
    return int(ddl.run(sql)[0][0])


def _delete(table: Table, last: int, until: int) -> None:
    sql = f"DELETE FROM {ddl.table_name(table.of(TEST))} WHERE id > %s AND id <= %s"
    ddl.run(sql, [last, until])


def _copy(table: Table, last: int, until: int) -> None:
    """The live records with ids in a range, every column that both have; what somebody has just added stays."""
    both = set(ddl.columns_of(table)) & set(ddl.columns_of(table.of(TEST)))
    columns = ", ".join(ddl.quoted(name) for name in sorted(both))
    ddl.run(
        f"INSERT INTO {ddl.table_name(table.of(TEST))} ({columns}) SELECT {columns}"
        f" FROM {ddl.table_name(table)} WHERE id > %s AND id <= %s ON CONFLICT DO NOTHING",
        [last, until],
    )


def _move_sequence(table: Table) -> None:
    """Let PostgreSQL count on from the greatest id (SQLite does so by itself)."""
    if connection.vendor == "postgresql":
        name = ddl.table_name(table.of(TEST))
        last = f"(SELECT coalesce(max(id), 1) FROM {name})"
        ddl.run(f"SELECT setval(pg_get_serial_sequence(%s, 'id'), {last})", [name])


class TestDataJob:
    """One turn of a copy or an emptying: table by table, first all are emptied, then filled, some thousand ids at a time."""

    def __init__(self, claimed: ClaimedRun) -> None:
        self._progress, given = claimed.progress, claimed.run.input
        self._workspace_id = claimed.run.workspace_id
        self._deeds = (EMPTY, COPY) if given["deed"] == COPY else (EMPTY,)
        found = Table.objects.filter(pk__in=given["tables"], hidden_at=None)
        self._steps = [(deed, table) for deed in self._deeds for table in found.order_by("pk")]
        self._at: dict[str, Any] = self._progress.position or {"step": [], "id": 0, "done": 0}

    def run(self) -> Outcome:
        """Go on until all tables are done, or the turn is over."""
        if not Workspace.objects.filter(pk=self._workspace_id, has_test_data=True).exists():
            raise no_test_data()
        passed = [self._at["step"]] if self._at["step"] else []
        for deed, table in self._steps:
            step = [deed, table.pk]
            if passed and passed[0] != step:
                continue
            begin = self._at["id"] if passed else 0
            passed = []
            if not self._do(deed, table, begin):
                return Outcome(states.ACCEPTED)
        return Outcome(states.SUCCEEDED, result={"records": self._at["done"]})

    def _do(self, deed: str, table: Table, reached: int) -> bool:
        last = ddl.last_id_in(table.of(TEST if deed == EMPTY else LIVE))
        while reached < last:
            self._progress.check()
            if self._progress.turn_is_over:
                return False
            until = min(reached + BATCH, last)
            with transaction.atomic():
                (_delete if deed == EMPTY else _copy)(table, reached, until)
                copied = until - reached if deed == COPY else 0
                at = {"step": [deed, table.pk], "id": until, "done": self._at["done"] + copied}
                self._progress.keep(
                    at, until, last, f"{'emptying' if deed == EMPTY else 'copying'} {table.name}"
                )
                if reached == 0:
                    replaced.send(sender=Workspace, workspace_id=self._workspace_id)
            self._at, reached = at, until
        if deed == COPY:
            _move_sequence(table)
        return True
