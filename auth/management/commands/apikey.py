"""manage.py apikey create: a new API key, alone on stdout (contract §1)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from auth.keys import create_key
from stackyard.core.files import find_workspace
from stackyard.core.management.problem_command import ProblemCommand


class Command(ProblemCommand):
    """Make an API key. It is shown this once and never again."""

    help = "Creates an API key and prints it, alone on stdout. It can't be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`create` with the key's workspace, label and scopes."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        create = deeds.add_parser("create", help="Create a key and print it.")
        create.add_argument("--workspace", required=True, metavar="NAME")
        create.add_argument("--name", required=True, metavar="LABEL", help="What the key is for.")
        create.add_argument(
            "--scopes",
            default="*",
            metavar="A,B",
            help="What it may call: * (the default), GROUP, GROUP:read, GROUP/ENDPOINT, meta; with commas between.",
        )

    def act(self, options: dict[str, Any]) -> None:
        """Create the key and print its text."""
        workspace = find_workspace(options["workspace"])
        scopes = [scope.strip() for scope in options["scopes"].split(",")]
        _, text = create_key(workspace, options["name"], scopes)
        self.stdout.write(text)
