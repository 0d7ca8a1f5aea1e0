"""`manage.py reference`: write the generated pages of the docs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from stackyard.stacks.reference import pages


class Command(BaseCommand):
    """Writes docs/steps.md and docs/filters.md."""

    help = "Write the reference of steps and filters into docs/."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write every page."""
        for name, text in pages().items():
            path = Path(settings.ROOT) / "docs" / name
            path.write_text(text, encoding="utf-8")
            self.stdout.write(f"docs/{name}")
