"""The run around an index: its values are looked at, it is built beside everybody, and when it can't be nothing of it stays."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from stackyard.core.errors import Problem
from stackyard.core.version import bump
from stackyard.runs import states
from stackyard.runs.models import Run
from stackyard.runs.progress import Stopped
from stackyard.runs.run_kind import ClaimedRun, Outcome

from . import ddl
from .indexing import KIND, check_values, doubles
from .mirrors import Mirror
from .models import Field, Index
from .online_indexes import build_online, tidy


class IndexJob:
    """One turn of building an index."""

    def __init__(self, claimed: ClaimedRun) -> None:
        self._progress, given = claimed.progress, claimed.run.input
        self._index = Index.objects.filter(pk=given["index"] or 0).select_related("table__workspace").first()
        fields = Field.objects.filter(pk=given["field"] or 0, table__hidden_at=None)
        self._field = fields.select_related("table__workspace").first()
        self._at: dict[str, Any] = self._progress.position or {"id": 0}

    def run(self) -> Outcome:
        """Go on until the index is built, or the turn is over."""
        index, field = self._index, self._field
        if index is not None:
            return self._run(index)
        if field is None:
            raise Problem("NOT_FOUND", "The index is not there any more.")
        plan = ddl.reference_index(field.table, field)
        if not build_online(plan, self._progress, self._keep, self._at["id"], lambda: None):
            return Outcome(states.ACCEPTED)
        return Outcome(states.SUCCEEDED, result={"fields": [field.name], "unique": False})

    def _run(self, index: Index) -> Outcome:
        plan = ddl.index_plan(index)
        if index.built_at is None:
            if index.hidden_at is not None or index.table.hidden_at is not None:
                raise Problem("CONFLICT", "The index or its table was dropped meanwhile.")
            if not self._build(index, plan):
                return Outcome(states.ACCEPTED)
        elif connection.vendor == "sqlite":
            for one in plan.each_source():
                tidy(Mirror(one), ddl.last_id_in(one.table))
        return Outcome(states.SUCCEEDED, result={"id": index.pk, "unique": index.unique})

    def _build(self, index: Index, plan: ddl.IndexPlan) -> bool:
        self._progress.check()
        if self._at["id"] == 0:
            self._progress.report(0, None, "looking at the values")
            check_values(index, plan)
        try:
            return build_online(plan, self._progress, self._keep, self._at["id"], lambda: self._mark(index))
        except (IntegrityError, OperationalError, Problem) as error:
            if isinstance(error, Problem) and error.code != "CONFLICT":
                raise
            found = doubles(index, plan) if index.unique else None
            if found is None:
                raise
            raise found from None

    def _keep(self, reached: int, last: int) -> None:
        self._progress.keep({"id": reached}, reached, last, "building the index")

    def _mark(self, index: Index) -> None:
        """From now on it serves everybody."""
        with transaction.atomic():
            held = Index.objects.filter(pk=index.pk, hidden_at=None)
            if not held.update(built_at=timezone.now()):
                raise Stopped
            bump(index.table.workspace_id)


def take_back_index(run: Run, **_: Any) -> None:
    """The run of an index has ended without it: the catalogue forgets it, and the database what was begun."""
    if run.kind != KIND or run.state == states.SUCCEEDED:
        return
    index = Index.objects.filter(run_id=run.pk, built_at=None).select_related("table").first()
    field = Field.objects.filter(pk=run.input["field"] or 0).select_related("table").first()
    if index is not None:
        plan = ddl.index_plan(index)
        bump(index.table.workspace_id)
        index.delete()
    elif field is not None:
        plan = ddl.reference_index(field.table, field)
    else:
        return
    if connection.vendor == "sqlite":
        for one in plan.each_source():
            Mirror(one).drop()
        ddl.drop(plan)
    else:
        transaction.on_commit(lambda: ddl.drop(plan, concurrently=True), robust=True)
