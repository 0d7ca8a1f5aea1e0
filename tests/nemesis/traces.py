"""What is left outside the database, and what is asked for; nothing of the platform in it."""

from __future__ import annotations

import os
import random
from typing import Any

# How many runs a second each of the two clients asks for: together they keep about half of the workers busy.
PER_SECOND = float(os.environ.get("NEMESIS_PER_SECOND", "4"))


def append_line(path: str, line: str) -> None:
    """Add a line to a file that others write too: one write of O_APPEND is never torn, and outlives kill -9."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)


def some_work(chance: random.Random) -> tuple[dict[str, Any], bool]:
    """What a run is to do, and whether it may be repeated."""
    seconds = chance.choice([0, 0.02, 0.1, 0.3, 0.8])
    return {"seconds": seconds, "failures": int(chance.random() < 0.1)}, chance.random() < 0.6
