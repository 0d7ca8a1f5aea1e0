"""A wall clock that can be wrong: what Python's side of the platform reads, by hours written into a file.

The database keeps its own time, as it does where it runs on another machine.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

_right = timezone.now


def install() -> None:
    """From now on the time is what the file named by NEMESIS_CLOCK makes of it."""
    if "NEMESIS_CLOCK" in os.environ:
        timezone.now = _perhaps_wrong


def _perhaps_wrong() -> datetime:
    try:
        hours = float(Path(os.environ["NEMESIS_CLOCK"]).read_text())
    except (OSError, ValueError):
        hours = 0
    return _right() + timedelta(hours=hours)
