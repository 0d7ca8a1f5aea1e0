"""By the clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core.errors import Faults, Path, Problem
from stackyard.core.zones import zone_fault
from stackyard.runs.cron import LONGEST_SECONDS, SHORTEST_SECONDS, check_cron

from .trigger import TriggerKind

CATCH_UP = ("none", "last", "all")


class ScheduleTrigger(TriggerKind):
    """Runs at times of a cron expression in a time zone, or every so many seconds."""

    name = "schedule"
    label = "Schedule"
    icon = "clock"
    options = ("cron", "every_seconds", "timezone", "catch_up", "input")

    @classmethod
    def check(cls, spec: Mapping[str, Any], faults: Faults, path: Path, tables: Mapping[str, Any]) -> None:
        """Either cron or every_seconds, a known time zone, a known catch_up."""
        super().check(spec, faults, path, tables)
        cron, every = spec.get("cron"), spec.get("every_seconds")
        if (cron is None) == (every is None):
            faults.error(path, "schedule", 'A schedule has either cron ("0 2 * * *") or every_seconds (900).')
        if cron is not None:
            cls._check_cron(cron, faults, (*path, "cron"))
        if every is not None and (
            not isinstance(every, int)
            or isinstance(every, bool)
            or not SHORTEST_SECONDS <= every <= LONGEST_SECONDS
        ):
            message = f"every_seconds is a whole number from {SHORTEST_SECONDS} to {LONGEST_SECONDS:,}."
            faults.error((*path, "every_seconds"), "range", message)
        wrong_zone = zone_fault(spec.get("timezone", "UTC"))
        if wrong_zone is not None:
            faults.error((*path, "timezone"), "timezone", wrong_zone)
        if spec.get("catch_up", "none") not in CATCH_UP:
            faults.error((*path, "catch_up"), "choice", f"catch_up is one of {', '.join(CATCH_UP)}.")

    @classmethod
    def _check_cron(cls, cron: Any, faults: Faults, path: Path) -> None:
        try:
            check_cron(str(cron))
        except Problem as problem:
            faults.error(path, "cron", problem.message, suggestion=problem.suggestion)
