"""How far a run is, for whoever waits for it; and where a job goes on after its worker was killed.

A job (an import, a conversion) works in batches. Each batch and `Progress.keep` are one transaction:

    for batch in batches_after(claimed.run.position):
        claimed.progress.check()                      # cancelled? the lease lost? then Stopped
        with transaction.atomic():
            write(batch)
            claimed.progress.keep({"row": batch.end}, done=batch.end, total=total, phase="importing")

`keep` writes under the run's fence, so a batch of a worker that lost its lease is taken back with it: after a
kill -9 nothing is done twice and nothing is lost. `report` is only for people and writes at most twice a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from . import states

if TYPE_CHECKING:
    from .models import Run

WRITE_SECONDS = 0.5
TURN_SECONDS = 120.0
"""How long a job may hold a worker at a time; then it gives the run back and goes on at its next turn."""


class Stopped(Exception):
    """The run must end here: it is cancelled, or its lease is somebody else's. Not a failure."""


class Progress:
    """The progress of one claimed run."""

    def __init__(self, run: Run, fence: int, stop: threading.Event, began: float | None = None) -> None:
        """`began` is when this attempt began, in seconds of `time.monotonic`; now, unless said."""
        self._run, self._fence, self._stop = run, fence, stop
        self._began = time.monotonic() if began is None else began
        self._first: int | None = None
        self._written_at = -WRITE_SECONDS

    @property
    def position(self) -> Any:
        """What the last `keep` that was committed said; None at the beginning."""
        return self._run.position

    @property
    def turn_is_over(self) -> bool:
        """Whether the job should end its turn (`Outcome(states.ACCEPTED)`) and let others have the worker."""
        return time.monotonic() - self._began > TURN_SECONDS

    def check(self) -> None:
        """Raises Stopped when the run must end; asked between batches."""
        if self._stop.is_set():
            raise Stopped

    def report(self, done: int, total: int | None = None, phase: str = "") -> None:
        """Say how far it is. Writes at most every half a second, so it may be called for every row."""
        if time.monotonic() - self._written_at >= WRITE_SECONDS:
            self._write(done, total, phase)

    def keep(self, position: Any, done: int, total: int | None = None, phase: str = "") -> None:
        """Write where the job is, in the batch's own transaction. Raises Stopped when the lease was lost."""
        self._write(done, total, phase, position=position)
        self._run.position = position

    def _write(self, done: int, total: int | None, phase: str, **more: Any) -> None:
        from .models import Run

        self._written_at = time.monotonic()
        held = Run.objects.filter(pk=self._run.pk, state=states.RUNNING, fence=self._fence)
        expected_at = self._expect(done, total)
        if not held.update(done=done, total=total, phase=phase[:60], expected_at=expected_at, **more):
            raise Stopped

    def _expect(self, done: int, total: int | None) -> Any:
        """When it will be done at the speed of this attempt; None as long as nobody can say."""
        if self._first is None or done < self._first:
            self._first = done
        advanced = done - self._first
        if total is None or advanced <= 0:
            return None
        seconds = (time.monotonic() - self._began) * max(0, total - done) / advanced
        return timezone.now() + timedelta(seconds=min(seconds, 1e8))


def progress_value(run: Run) -> dict[str, Any] | None:
    """A run's progress as JSON: done, total, percent, phase, seconds_left; None for a run that tells of none.

    A run that is not done when it was expected to be has no `seconds_left` until it says again how far it is.
    """
    if run.done is None:
        return None
    share = None if not run.total else round(100 * min(1.0, run.done / run.total), 1)
    left = None
    if run.expected_at is not None and not run.is_finished:
        left = round((run.expected_at - timezone.now()).total_seconds(), 1)
        left = left if left > 0 else None
    return {
        "done": run.done,
        "total": run.total,
        "percent": share,
        "phase": run.phase,
        "seconds_left": left,
    }


def progress_text(far: Mapping[str, Any]) -> str:
    """A line for a terminal: `importing: 1,200 of 9,000 (13 %), about 4 s left`."""
    said = f"{far['done']:,}" if far["total"] is None else f"{far['done']:,} of {far['total']:,}"
    share = "" if far["percent"] is None else f" ({far['percent']:.0f} %)"
    left = "" if far["seconds_left"] is None else f", about {far['seconds_left']:,.0f} s left"
    return f"{far['phase']}: {said}{share}{left}"
