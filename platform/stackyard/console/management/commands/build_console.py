"""`manage.py build_console`: bundles the console's scripts, which `make up` does by itself."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from stackyard.start import frontend, words
from stackyard.start.environment import stage_line


class Command(BaseCommand):
    """One line that says what was done and how long it took."""

    help = "Bundle the console's scripts (esbuild, run by Deno) unless nothing has changed."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to build anyway, and whether to fetch what checking types needs."""
        parser.add_argument("--force", action="store_true", help="build even when nothing has changed")
        parser.add_argument(
            "--check-types", action="store_true", help="also fetch what `deno check` needs, and run it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 with one sentence when it can't be built."""
        began = time.monotonic()
        try:
            note = f"{words.compile_all()}, {frontend.build(force=options['force'])}"
            if options["check_types"]:
                frontend.check_types()
                note += ", types checked"
        except frontend.NotBuilt as reason:
            raise CommandError(f"The console's scripts are not built. {reason}") from None
        self.stdout.write(stage_line("console", note, time.monotonic() - began))
