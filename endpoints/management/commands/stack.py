"""manage.py stack run: a published stack run now, from the command line (contract §1)."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from endpoints.models import Endpoint
from stackyard.core.body import parse_json
from stackyard.core.data_source import LIVE, read_source
from stackyard.core.errors import Problem, did_you_mean, invalid_input
from stackyard.core.files import find_workspace
from stackyard.core.jsonout import encode
from stackyard.core.management.problem_command import ProblemCommand
from stackyard.core.models import Workspace
from stackyard.stacks.models import Function
from stackyard.stacks.trial import try_document


class Command(ProblemCommand):
    """Run a function's or an endpoint's stack: the response as JSON on stdout, everything else on stderr."""

    help = "Runs a published stack now: its response as JSON on stdout, exit 1 when it fails."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`run` with a target, its inputs as JSON, and whether to show the trace."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        run = deeds.add_parser("run", help="Run a stack.")
        run.add_argument("target", metavar="WORKSPACE/FUNCTION or WORKSPACE/GROUP/ENDPOINT")
        run.add_argument("--input", default="{}", metavar="JSON", help="The inputs by name.")
        run.add_argument(
            "--trace", action="store_true", help="Show each line's turns, time and value on stderr."
        )

        run.add_argument("--data-source", default=LIVE, metavar="live|test")

    def act(self, options: dict[str, Any]) -> None:
        """Run it; changes to records are kept."""
        workspace, document = find_document(options["target"])
        inputs = parse_json(options["input"].encode())
        if not isinstance(inputs, dict):
            raise Problem("INVALID_INPUT", "The input is a JSON object of names and values.")
        trial = try_document(
            workspace, document, inputs, keep_changes=True, source=read_source(options["data_source"])
        )
        for entry in trial.lines:
            if options["trace"]:
                self.stderr.write(encode(entry).decode())
            else:
                for text in entry.get("debug", ()):
                    self.stderr.write(f"{entry['line']}: {text}")
        if trial.problem is not None:
            raise trial.problem
        self.stdout.write(encode(trial.value).decode())


def find_document(target: str) -> tuple[Workspace, Mapping[str, Any]]:
    """A published document by its address. Problem `NOT_FOUND` that proposes the nearest name."""
    parts = target.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise invalid_input([], "Name a stack as WORKSPACE/FUNCTION or as WORKSPACE/GROUP/ENDPOINT.")
    workspace = find_workspace(parts[0])
    rows: Any = Function.objects.filter(workspace=workspace)
    if len(parts) == 3:
        rows = Endpoint.objects.filter(group__workspace=workspace, group__name=parts[1])
    found = rows.filter(name=parts[-1]).select_related("published").first()
    if found is None:
        hint = did_you_mean(parts[-1], rows.values_list("name", flat=True))
        raise Problem(
            "NOT_FOUND", f'There is no {"endpoint" if len(parts) == 3 else "function"} "{target}".{hint}'
        )
    if found.published is None:
        raise Problem("NOT_FOUND", f'"{target}" was never published.')
    return workspace, found.published.document
