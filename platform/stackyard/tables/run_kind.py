"""What tables do in the background."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import ClassVar

from stackyard.core.errors import Detail, Problem
from stackyard.runs import states
from stackyard.runs.ending import run_finished
from stackyard.runs.models import Run, Schedule
from stackyard.runs.run_kind import ClaimedRun, Outcome, RunKind

from .conversions.job import ConversionJob
from .conversions.switching import take_back
from .dropping import DropJob
from .imports.job import ImportJob
from .index_job import IndexJob, take_back_index
from .models import Table
from .test_data import TestDataJob

run_finished.connect(take_back, dispatch_uid="stackyard.tables.conversions")
run_finished.connect(take_back_index, dispatch_uid="stackyard.tables.indexes")

# What is over in a moment, and so worth another attempt.
_PASSING = ("BUSY", "TIMEOUT")


class TableJob(RunKind, abstract=True):
    """A job on one table; its target is the table. `job` does it, from where the last attempt got to."""

    job: ClassVar[type[ImportJob | ConversionJob | DropJob | IndexJob | TestDataJob]]

    @classmethod
    def execute(cls, claimed: ClaimedRun) -> Outcome:
        """Do the job; a Problem ends the run."""
        try:
            return cls.job(claimed).run()
        except Problem as problem:
            return failed(problem)

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
    details = [asdict(detail) for detail in problem.details or () if isinstance(detail, Detail)]
    error = {"name": "Problem", "code": problem.code, "message": problem.message, "details": details or None}
    return Outcome(states.FAILED, error=error, is_final=problem.code not in _PASSING)


class ImportRun(TableJob):
    """A CSV file into a table."""

    name = "import"
    label = "CSV import"
    group = "tables"
    icon = "file-up"
    job = ImportJob


class ConversionRun(TableJob):
    """A field's change of type on a large table."""

    name = "conversion"
    label = "Conversion"
    group = "tables"
    icon = "replace"
    job = ConversionJob


class DropRun(TableJob):
    """A hidden table or field leaves the database, after its grace time."""

    name = "drop"
    label = "Drop"
    group = "tables"
    icon = "trash"
    job = DropJob


class IndexRun(TableJob):
    """An index of a large table."""

    name = "index"
    label = "Index"
    group = "tables"
    icon = "list-ordered"
    job = IndexJob


class TestDataRun(TableJob):
    """Test data filled from the live records, or emptied; its target is the workspace."""

    name = "test_data"
    label = "Test data"
    group = "tables"
    icon = "flask-conical"
    job = TestDataJob

    @classmethod
    def name_of(cls, target_id: int) -> str:
        """What it works on."""
        return "test data"
