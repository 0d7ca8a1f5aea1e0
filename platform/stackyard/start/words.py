"""The console's translations: compiled from `locale/` when they have changed; the compiled files are never committed."""

from __future__ import annotations

from pathlib import Path

import polib
from django.conf import settings

LOCALE = settings.ROOT / "platform" / "stackyard" / "console" / "locale"
DOMAINS = ("django", "djangojs")


def languages() -> list[str]:
    """The languages that have translations, beside English."""
    return sorted(path.name for path in LOCALE.iterdir() if path.is_dir()) if LOCALE.exists() else []


def compile_all() -> str:
    """Compile every `.po` that is newer than what was compiled from it; says what was done."""
    made = 0
    for language in languages():
        for domain in DOMAINS:
            source = LOCALE / language / "LC_MESSAGES" / f"{domain}.po"
            target = source.with_suffix(".mo")
            if source.exists() and not _is_fresh(target, source):
                polib.pofile(str(source)).save_as_mofile(str(target))
                made += 1
    return f"{made} word lists compiled" if made else "words unchanged"


def _is_fresh(target: Path, source: Path) -> bool:
    return target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns
