"""What tables do in the background."""

from __future__ import annotations

from datetime import datetime

from stackyard.core.errors import Problem
from stackyard.runs import states
from stackyard.runs.models import Run, Schedule
from stackyard.runs.run_kind import ClaimedRun, Outcome, RunKind

from .imports.job import ImportJob
from .models import Table

# What is over in a moment, and so worth another attempt.
_PASSING = ("BUSY", "TIMEOUT")


class TableJob(RunKind, abstract=True):
    """A job on one table; its target is the table."""

    @classmethod
    def name_of(cls, target_id: int) -> str:
        """The table's name."""
        return Table.objects.filter(pk=target_id, hidden_at=None).values_list("name", flat=True).first() or ""

    @classmethod
    def start_scheduled(cls, schedule: Schedule, nominal_at: datetime) -> Run | None:
        """Jobs have no schedules."""
        return None


def failed(problem: Problem) -> Outcome:
    """The end of a job by a Problem: tried again only where the reason may pass."""
    error = {"name": "Problem", "code": problem.code, "message": problem.message}
    return Outcome(states.FAILED, error=error, is_final=problem.code not in _PASSING)


class ImportRun(TableJob):
    """A CSV file into a table."""

    name = "import"
    label = "CSV import"
    group = "tables"
    icon = "file-up"

    @classmethod
    def execute(cls, claimed: ClaimedRun) -> Outcome:
        """Import from where the last attempt got to."""
        try:
            return ImportJob(claimed).run()
        except Problem as problem:
            return failed(problem)
