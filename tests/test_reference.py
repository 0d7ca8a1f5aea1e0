"""The generated pages of the docs are what the kinds say now."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from stackyard.stacks.reference import pages


def test_the_reference_pages_are_up_to_date() -> None:
    for name, text in pages().items():
        assert (Path(settings.ROOT) / "docs" / name).read_text(encoding="utf-8") == text, (
            "run manage.py reference"
        )
