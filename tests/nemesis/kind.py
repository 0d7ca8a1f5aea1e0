"""The work that the nemesis disturbs: it leaves a line outside the database, takes its time, leaves another."""

from __future__ import annotations

import os
import time
from datetime import datetime

from stackyard.runs import dispatch
from stackyard.runs.models import Run, Schedule
from stackyard.runs.run_kind import ClaimedRun, Outcome, RunKind

from .traces import append_line

KIND = "nemesis"


class Flaky(Exception):
    """What an attempt raises that was told to fail."""


class NemesisRun(RunKind):
    """Writes `run attempt pid begin`, sleeps, perhaps fails, writes `… end`, all by its input."""

    name = KIND
    label = "Nemesis"
    group = "code"
    icon = "bug"

    @classmethod
    def execute(cls, claimed: ClaimedRun) -> Outcome:
        """One attempt."""
        run, path = claimed.run, os.environ["NEMESIS_EFFECTS"]
        asked = run.input or {}
        mark = f"{run.pk} {run.attempt} {os.getpid()}"
        append_line(path, f"{mark} begin")
        time.sleep(asked.get("seconds", 0))
        if run.attempt <= asked.get("failures", 0):
            raise Flaky
        append_line(path, f"{mark} end")
        return Outcome(result=run.attempt)

    @classmethod
    def start_scheduled(cls, schedule: Schedule, nominal_at: datetime) -> Run:
        """Accept the run of a nominal time."""
        return dispatch.start(
            cls.name,
            schedule.workspace,
            schedule.target_id,
            target_name="tick",
            trigger="schedule",
            nominal_at=nominal_at,
            retry_safe=True,
            max_attempts=1000,
        )
