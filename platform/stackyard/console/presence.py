"""Who else has a stack open: each editor says every few seconds that it is there, and is told of the others.

Kept in the installation's cache, since it may be lost at any time: whoever is there says so again. Two who say it at the
very same moment may miss each other once.
"""

from __future__ import annotations

import time
from typing import Any

from stackyard.core import cache

from .owners import StackOwner

GONE_SECONDS = 25.0
_PLATFORM = 0
"""No workspace has this id: stacks can't read what is kept here."""


def others_at(owner: StackOwner, user: Any) -> list[str]:
    """Note that this person has the stack open, and name the others who had it within `GONE_SECONDS`."""
    key, now = f"presence:{owner.kind}:{owner.row.pk}", time.time()
    kept = cache.get(_PLATFORM, key) or {}
    there = {pk: seen for pk, seen in kept.items() if now - seen[1] < GONE_SECONDS}
    there[str(user.pk)] = [str(user), now]
    cache.set(_PLATFORM, key, there, GONE_SECONDS)
    return sorted(name for pk, (name, _) in there.items() if pk != str(user.pk))
