"""The names of time zones (IANA), and what is said about one that does not exist."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from .errors import nearest

_LONGEST = 100


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """All there are; the folder is read once."""
    return frozenset(available_timezones())


def zone_fault(name: Any) -> str | None:
    """What is wrong with the name of a time zone, with the nearest one; None when there is such a zone."""
    if isinstance(name, str) and name in zone_names():
        return None
    text = str(name)[:_LONGEST]
    found = _meant(text)
    hint = f'Did you mean "{found}"?' if found else "Use an IANA name such as Europe/Berlin."
    return f'There is no time zone "{text}". {hint}'


def _meant(text: str) -> str | None:
    """The zone of this city, whatever its continent and case, or else the one spelled most like it."""
    city = text.rsplit("/", 1)[-1].strip().replace(" ", "_").lower()
    same = sorted(name for name in zone_names() if "/" in name and name.rsplit("/", 1)[-1].lower() == city)
    return nearest(text, same) or (same[0] if same else nearest(text, zone_names()))
