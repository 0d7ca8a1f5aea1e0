"""The run around a conversion: ranges of ids, then the queue, the indexes, the switch."""

from __future__ import annotations

import time
from dataclasses import asdict
from functools import partial
from typing import Any

from django.db import connection, transaction

from stackyard.core.data_source import LIVE
from stackyard.core.errors import Problem
from stackyard.runs import states
from stackyard.runs.run_kind import ClaimedRun, Outcome
from stackyard.tables import ddl
from stackyard.tables.alterations import alter
from stackyard.tables.database import Doubled, busy_when_locked
from stackyard.tables.indexing import check_values
from stackyard.tables.models import Conversion
from stackyard.tables.online_indexes import build_online

from .batches import Batches, Counts
from .starting import mark_built, plans_of
from .switching import check_refused, switch

# Between two batches: whoever waits for SQLite's one write lock looks for it every few milliseconds.
PAUSE_SECONDS = {"sqlite": 0.02, "postgresql": 0.002}
_ROUNDS = 1_000


class ConversionJob:
    """One turn of a conversion."""

    def __init__(self, claimed: ClaimedRun) -> None:
        self._progress = claimed.progress
        found = Conversion.objects.select_related("field__table__workspace", "shadow__table")
        self._conversion = found.filter(pk=claimed.run.input["conversion"]).first()
        begin: dict[str, Any] = {"id": 0, "end": None, "is_indexed": False, "counts": asdict(Counts())}
        begin["source"] = LIVE
        self._at: dict[str, Any] = self._progress.position or begin
        self._counts = Counts(**self._at["counts"])

    def run(self) -> Outcome:
        """Go on until the columns are switched, or the turn is over."""
        conversion = self._conversion
        if conversion is None:
            raise Problem("NOT_FOUND", "The field is not there any more.")
        try:
            return self._run(conversion)
        except Doubled:
            name = f"{conversion.field.table.name}.{conversion.field.name}"
            raise Problem(
                "CONFLICT",
                f"Values of {name} would become the same, and it is unique.",
                suggestion="Make them different, or the field not unique, first.",
            ) from None

    def _run(self, conversion: Conversion) -> Outcome:
        if conversion.state == Conversion.CONVERTING:
            if conversion.field.hidden_at is not None or conversion.field.table.hidden_at is not None:
                raise Problem("CONFLICT", "The field was dropped meanwhile.")
            if not self._convert(conversion):
                return Outcome(states.ACCEPTED)
            check_refused(conversion, self._counts)
            if not self._index(conversion):
                return Outcome(states.ACCEPTED)
            self._switch(conversion)
        return Outcome(states.SUCCEEDED, result=self._result(conversion))

    def _convert(self, conversion: Conversion) -> bool:
        """Every record that was there when this began; later ones are written into both columns."""
        tables = {table.source: table for table in conversion.field.table.each_source()}
        left = list(tables)[list(tables).index(self._at["source"]) :]
        for source in left:
            if source != self._at["source"]:
                self._at.update(source=source, id=0, end=None)
            if self._at["end"] is None:
                self._at["end"] = ddl.last_id_in(tables[source])
            if not self._convert_in(conversion, source):
                return False
        return True

    def _convert_in(self, conversion: Conversion, source: str) -> bool:
        batches = Batches(conversion, source)
        end, pause = self._at["end"], PAUSE_SECONDS[connection.vendor]
        while self._at["id"] < end:
            self._progress.check()
            if self._progress.turn_is_over:
                return False
            with busy_when_locked(), transaction.atomic():
                reached = batches.convert_after(self._at["id"], end, self._counts)
                self._keep(reached, "converting", is_indexed=self._at["is_indexed"])
            if conversion.on_bad == "refuse" and len(self._counts.bad) >= 1_000:
                check_refused(conversion, self._counts)
            time.sleep(pause)
        return True

    def _keep(self, reached: int, phase: str, *, is_indexed: bool) -> None:
        at = {**self._at, "id": reached, "is_indexed": is_indexed, "counts": asdict(self._counts)}
        self._progress.keep(at, reached, self._at["end"], phase)
        self._at = at

    def _index(self, conversion: Conversion) -> bool:
        """The new column's indexes, each beside everybody; False when the turn is over first."""
        if self._at["is_indexed"]:
            return True
        for plan, index in plans_of(conversion):
            if index is not None and index.built_at is not None:
                continue
            self._progress.check()
            self._progress.report(self._at["id"], self._at["end"], "building indexes")
            if index is not None:
                check_values(index, plan)
            reached = self._at.get("built", {}).get(plan.name, 0)
            keep, done = partial(self._keep_built, plan.name), partial(mark_built, index)
            if not build_online(plan, self._progress, keep, reached, done):
                return False
        with transaction.atomic():
            self._keep(self._at["id"], "building indexes", is_indexed=True)
        return True

    def _keep_built(self, name: str, reached: int, last: int) -> None:
        at = {**self._at, "built": {**self._at.get("built", {}), name: reached}}
        self._progress.keep(at, reached, last, "building indexes")
        self._at = at

    def _switch(self, conversion: Conversion) -> None:
        """Work the queue off, the last of it under the lock of the switch."""
        both = [Batches(conversion, table.source) for table in conversion.field.table.each_source()]
        for _ in range(_ROUNDS):
            self._progress.check()
            with busy_when_locked(), transaction.atomic():
                left = sum(batches.drain(self._counts) for batches in both)
                self._keep(self._at["id"], "switching", is_indexed=True)
            if left:
                time.sleep(PAUSE_SECONDS[connection.vendor])
            elif self._try_to_switch(conversion):
                return
        raise Problem("BUSY", "Records are written faster than they can be converted.")

    def _try_to_switch(self, conversion: Conversion) -> bool:
        """Whether that was it. A job has time: a long transaction, or a vacuum of the table, is waited for.

        PostgreSQL's autovacuum makes way only for who waits a second for its lock, which would hold up requests.
        """
        try:
            return alter(conversion.field.table.workspace_id, lambda: switch(conversion, self._counts))
        except Problem as problem:
            if problem.code != "BUSY":
                raise
            return False

    def _result(self, conversion: Conversion) -> dict[str, Any]:
        counts = asdict(self._counts)
        return {
            "field": conversion.field.name,
            "type": conversion.field.type,
            "on_bad": conversion.on_bad,
            **counts,
        }
