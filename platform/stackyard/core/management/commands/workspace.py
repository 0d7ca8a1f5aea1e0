"""manage.py workspace apply|export|diff: a workspace as files (docs/workspaces.md)."""

from __future__ import annotations

import difflib
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from stackyard.core import files
from stackyard.core.errors import Problem
from stackyard.core.files import Change, FileFault, InvalidFiles, Plan
from stackyard.core.management.problem_command import ProblemCommand

_MARKS = {
    "create": "+",
    "load": "+",
    "update": "~",
    "rename": ">",
    "missing": "-",
    "broken": "!",
}


class Command(ProblemCommand):
    """Apply a workspace from files, write one as files, or show how the two differ."""

    help = "Creates or updates a workspace from files, writes one as files, or compares the two."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Three deeds, each with its own arguments."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        apply = deeds.add_parser("apply", help="Create or update a workspace from files and publish it.")
        apply.add_argument("path")
        apply.add_argument("--dry-run", action="store_true", help="Check everything and change nothing.")
        apply.add_argument("--prune", action="store_true", help="Delete what the files lack.")
        apply.add_argument(
            "--no-wait", action="store_true", help="Leave conversions of large tables to the workers."
        )
        export = deeds.add_parser("export", help="Write the published state as files.")
        export.add_argument("name")
        export.add_argument("path")
        export.add_argument("--records", action="store_true", help="Write the records too, as CSV.")
        diff = deeds.add_parser("diff", help="Show what apply would change; exit 0 when equal, 1 when not.")
        diff.add_argument("name")
        diff.add_argument("path")

    def act(self, options: dict[str, Any]) -> None:
        """Do the deed that was asked for."""
        getattr(self, f"_{options['deed']}")(options)

    def show_problem(self, problem: Problem) -> None:
        """Every fault of every file, one a line, as editors and terminals take them."""
        if not isinstance(problem, InvalidFiles):
            super().show_problem(problem)
            return
        self._print_faults(problem.faults)
        count = len(problem.faults)
        self.stderr.write(f"{count} problem{'s' if count > 1 else ''}; nothing was changed.")

    def _apply(self, options: dict[str, Any]) -> None:
        plan = files.apply(
            options["path"], dry_run=options["dry_run"], prune=options["prune"], show=self._print_plan
        )
        self._print_faults(plan.warnings)
        if options["dry_run"]:
            self.stdout.write("Checked; nothing was changed (--dry-run).")
        elif plan.changes_something:
            if not options["no_wait"] and files.follow_up(plan.name, self._say):
                # What had to wait for the new types, such as another rule of the same field.
                files.apply(options["path"], prune=options["prune"])
            self.stdout.write(f"Done: {plan}.")

    def _say(self, text: str) -> None:
        self.stderr.write(text)
        self.stderr.flush()

    def _export(self, options: dict[str, Any]) -> None:
        written = files.export(options["name"], options["path"], records=options["records"])
        self.stdout.write(f"{len(written)} files in {options['path']}.")

    def _diff(self, options: dict[str, Any]) -> None:
        plan = files.diff(options["name"], options["path"])
        self._print_faults(plan.warnings)
        if plan.is_equal:
            self.stdout.write("Equal.")
            return
        for change in plan.changes:
            if change.action != "unchanged" or change.lacking:
                self._print_change(change, plan)
                self._print_texts(change)
        raise SystemExit(1)

    def _print_plan(self, plan: Plan) -> None:
        self.stdout.write(f"Plan for workspace {plan.name}{' (new)' if plan.is_new else ''}:")
        unchanged = 0
        for change in plan.changes:
            if change.action == "unchanged" and not change.lacking:
                unchanged += 1
            else:
                self._print_change(change, plan)
        if unchanged:
            self.stdout.write(f"  = {unchanged} unchanged")

    def _print_change(self, change: Change, plan: Plan) -> None:
        said = [change.note] if change.note else []
        if change.was:
            said.append(f"was {change.was}")
        if change.action == "missing":
            said.append(_fate(plan, "not in the files"))
        if change.lacking:
            said.append(_fate(plan, f"not in the file: {', '.join(change.lacking)}"))
        text = f"  {_MARKS.get(change.action, '=')} {change.path}"
        self.stdout.write(f"{text}   ({'; '.join(said)})" if said else text)

    def _print_texts(self, change: Change) -> None:
        if change.action not in {"update", "rename"}:
            return
        lines = difflib.unified_diff(change.before.splitlines(), change.after.splitlines(), n=2, lineterm="")
        for line in list(lines)[2:]:
            self.stdout.write(f"      {line}")

    def _print_faults(self, faults: Iterable[FileFault]) -> None:
        for fault in faults:
            self.stderr.write(str(fault))


def _fate(plan: Plan, what: str) -> str:
    return f"{what}; {'deleted' if plan.prune else 'kept, --prune deletes'}"
