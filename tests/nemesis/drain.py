"""The time after the last fault: what still waits is worked off, or something is stuck; the two are told apart.

Sixty seconds are enough for whatever must be taken back, sent again or waited for. What merely waits in a queue needs
longer, in proportion to the queue, but moves all that time: where nothing ends for sixty seconds something is stuck.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

SETTLE_SECONDS = 60.0
# A run works for a quarter of a second on average, in one of two processes at the least; the rest is for a machine that
# others use.
SECONDS_EACH = 0.5
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Drain:
    """How the runs went that had not ended at the last fault: how many there were and are left, in how many seconds, and
    the longest time in which none ended."""

    waiting: int
    left: int
    seconds: float
    still_seconds: float
    is_stalled: bool = False

    def __str__(self) -> str:
        """As it is printed."""
        how = f"{self.left} of {self.waiting} left" if self.left else f"{self.waiting} worked off"
        stalled = ", then no more" if self.is_stalled else ""
        return f"{how} in {self.seconds:.1f} s, at most {self.still_seconds:.1f} s between two{stalled}"


def drain(
    count: Callable[[], int],
    settle_seconds: float = SETTLE_SECONDS,
    *,
    say: Callable[[str], None] = lambda line: None,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Drain:
    """Wait until nothing is left, as long as its number allows and it gets less."""
    began = moved = said = clock()
    waiting = least = left = count()
    allowed = settle_seconds + waiting * SECONDS_EACH * min(1.0, settle_seconds / SETTLE_SECONDS)
    still = 0.0
    while left:
        pause(_LOOK_SECONDS)
        left, now = count(), clock()
        still = max(still, now - moved)
        if left < least:
            least, moved = left, now
        if now - said >= 5:
            said = now
            say(f"{left} of {waiting} left after {now - began:.0f} s")
        is_stalled = now - moved > settle_seconds
        if left and (is_stalled or now - began > allowed):
            return Drain(waiting, left, now - began, still, is_stalled)
    return Drain(waiting, 0, clock() - began, still)
