"""`manage.py words de`: brings a language's translations up to date with the sources, and lists what wants one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from stackyard.console.wording import update
from stackyard.start.words import compile_all


class Command(BaseCommand):
    """For whoever writes texts: new ones appear in `locale/`, gone ones go."""

    help = (
        "Bring the translations of a language up to date with the sources, and list what is not translated."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The language."""
        parser.add_argument("language", help="such as de")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the files, compile them, name what is missing."""
        for text in update(options["language"]):
            self.stdout.write(text)
        self.stdout.write(compile_all())
