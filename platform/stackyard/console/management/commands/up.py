"""`manage.py up`: what `make up` runs once its environment is there."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from stackyard.start.environment import Unready
from stackyard.start.lifeline import stop_with_parent
from stackyard.start.stages import Stages
from stackyard.start.up import run_up


class Command(BaseCommand):
    """Sets up what is missing, then serves in the foreground."""

    help = (
        "Set up what is missing (tables, owner, sample workspace, first key), then serve in the foreground."
    )
    # The stage `database` makes the tables that other checks would ask for.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """One flag, for callers that may be killed."""
        parser.add_argument(
            "--stop-with-parent", action="store_true", help="stop when the calling process dies"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until Ctrl-C; exit 1 when it could not start."""
        if options["stop_with_parent"]:
            stop_with_parent(os.getppid())
        try:
            status = run_up(Stages())
        except Unready as unready:
            raise CommandError(f"{unready.reason}\n{unready.remedy}") from None
        sys.exit(status)
