"""What killed processes and undone transactions leave behind: bytes without a row, uploads that nobody took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from ..models import StoredFile
from .keeping import remove_bytes, storage

_AGE_SECONDS = 3600
"""How old bytes must be: a row may still come, or be undone, as long as a transaction can take."""
_UPLOAD_SECONDS = 86_400


def sweep() -> int:
    """Remove bytes without a row and uploads left from yesterday; how many."""
    return _orphans() + _uploads()


def _orphans() -> int:
    removed, before = 0, timezone.now() - timedelta(seconds=_AGE_SECONDS)
    for folder in _folders():
        places = [f"{folder}/{name}" for name in storage().listdir(folder)[1]]
        known = set(StoredFile.objects.filter(place__in=places).values_list("place", flat=True))
        for place in places:
            if place not in known and storage().get_modified_time(place) < before:
                remove_bytes(place)
                removed += 1
    return removed


def _folders() -> Iterator[str]:
    if not storage().exists(""):
        return
    for workspace in storage().listdir("")[0]:
        for part in storage().listdir(workspace)[0]:
            yield f"{workspace}/{part}"


def _uploads() -> int:
    removed, before = 0, time.time() - _UPLOAD_SECONDS
    for path in Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*.upload*"):
        if path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
