"""The console's bundle as templates see it: which files an island's page has to load."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.templatetags.static import static

from stackyard.start.frontend import BUNDLE


@dataclass(frozen=True, slots=True)
class Entry:
    """The addresses of one entry's files. `script` is None for a style sheet."""

    script: str | None = None
    styles: list[str] = field(default_factory=list)
    preload: list[str] = field(default_factory=list)


_read: tuple[int, dict[str, Entry]] = (0, {})


def entry(name: str) -> Entry | None:
    """The files of an entry; None when there is no bundle, or none with this entry."""
    return _entries().get(name)


def _entries() -> dict[str, Entry]:
    """The manifest, read again when a new one was put in place."""
    global _read
    path = BUNDLE / "manifest.json"
    try:
        changed_at = path.stat().st_mtime_ns
        if changed_at != _read[0]:
            entries = json.loads(path.read_text())["entries"]
            _read = (changed_at, {name: _entry(found) for name, found in entries.items()})
    except (OSError, ValueError, KeyError):
        return {}
    return _read[1]


def _entry(found: dict[str, Any]) -> Entry:
    script = found.get("script")
    return Entry(
        _address(script) if script else None,
        [_address(name) for name in found["styles"]],
        [_address(name) for name in found["preload"]],
    )


def _address(name: str) -> str:
    return static(f"console/build/{name}")
