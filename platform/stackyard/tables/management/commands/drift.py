"""manage.py drift: whether the catalogue of tables and the database say the same."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from stackyard.core.management.problem_command import ProblemCommand
from stackyard.tables.drift import find_drift, mend


class Command(ProblemCommand):
    """Show what differs; with `--repair` put right what can be without dropping data. Exit 1 while anything differs."""

    help = "Compares the catalogue of tables with the database; --repair mends it and never drops data."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One flag."""
        parser.add_argument(
            "--repair", action="store_true", help="Mend what can be mended without dropping data."
        )

    def act(self, options: dict[str, Any]) -> None:
        """Find, perhaps mend, and tell."""
        found = find_drift()
        mended = mend(found) if options["repair"] else []
        for one in found:
            state = "  mended" if one in mended else ""
            self.stdout.write(f"{one.kind}: {one.place}{state}\n  {one.what}")
        left = len(found) - len(mended)
        if not left:
            self.stdout.write("Catalogue and database say the same." if not found else "All of it is mended.")
            return
        if not options["repair"] and any(one.mend for one in found):
            self.stdout.write("--repair mends what can be without dropping data.")
        raise SystemExit(1)
