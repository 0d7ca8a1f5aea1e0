"""manage.py tokens rotate: sign tokens with a new key from now on."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from auth import signing_keys
from stackyard.core.management.problem_command import ProblemCommand


class Command(ProblemCommand):
    """Change the key that signs tokens. Tokens made before stay good until they expire."""

    help = f"Signs tokens with a new key; the {signing_keys.KEPT - 1} keys before it still verify."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`rotate`."""
        parser.add_subparsers(dest="deed", required=True).add_parser("rotate", help="Make a new signing key.")

    def act(self, options: dict[str, Any]) -> None:
        """Rotate, and print the new key's id."""
        self.stdout.write(signing_keys.rotate())
