"""What rooms above want done by the scheduler from time to time."""

from __future__ import annotations

from collections.abc import Callable

PRUNES: list[Callable[[], int]] = []


def also_prune(deed: Callable[[], int]) -> None:
    """Have this done every ten minutes by the scheduler's process; it gives how much it removed."""
    PRUNES.append(deed)


DEEDS: dict[Callable[[], int], float] = {}


def also_do(deed: Callable[[], int], every_seconds: float) -> None:
    """Have this done every so many seconds by the scheduler's process; it gives how much it did."""
    DEEDS[deed] = every_seconds
