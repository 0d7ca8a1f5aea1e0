"""manage.py testdata make|copy|empty|remove WORKSPACE: a workspace's test data (docs/test-data.md)."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from stackyard.core.errors import Problem
from stackyard.core.files import find_workspace
from stackyard.core.management.problem_command import ProblemCommand
from stackyard.core.models import Workspace
from stackyard.runs import states
from stackyard.runs.progress import progress_text
from stackyard.runs.waiting import finish_here
from stackyard.tables import test_data


class Command(ProblemCommand):
    """Make a workspace's test data, fill it from the live records, empty it, or take it away."""

    help = "A workspace's test data: make, copy (from the live records), empty, remove."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The deed, the workspace, and for two of them the tables."""
        parser.add_argument("deed", choices=["make", "copy", "empty", "remove"])
        parser.add_argument("workspace")
        parser.add_argument("tables", nargs="*", help="Copy or empty these tables only.")

    def act(self, options: dict[str, Any]) -> None:
        """Do it, and say what was done."""
        deed, workspace = options["deed"], find_workspace(options["workspace"])
        tables = options["tables"] or None
        if deed in ("make", "remove"):
            if tables is not None:
                raise Problem("INVALID_INPUT", f"{deed} takes no tables: all have test data, or none.")
            done = (test_data.make if deed == "make" else test_data.remove)(workspace)
            words = {
                ("make", True): "Made, empty.",
                ("remove", True): "Removed.",
                ("make", False): "It is there.",
            }
            self.stdout.write(words.get((deed, done), "There is none."))
            return
        self._fill(deed, workspace, tables)

    def _fill(self, deed: str, workspace: Workspace, tables: list[str] | None) -> None:
        run = (test_data.copy if deed == "copy" else test_data.empty)(workspace, tables, trigger="command")
        if run is not None:
            run = finish_here(run, self._show)
            if run.state != states.SUCCEEDED:
                error = run.error or {}
                raise Problem(error.get("code", "CONFLICT"), f"It {run.state}. {error.get('message', '')}")
        self.stdout.write("Copied." if deed == "copy" else "Emptied.")

    def _show(self, far: dict[str, Any]) -> None:
        print(progress_text(far), file=sys.stderr, flush=True)
