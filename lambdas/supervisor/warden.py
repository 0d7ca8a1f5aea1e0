"""The warden watches what runs: time, memory and files of every busy slot, from a thread of its own.

The caller's thread watches the time too, but it may be busy answering a call just then; memory is
sampled here because most machines give an ordinary process no memory cgroup to bound another with.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lambdas.launchers.limits import WRITTEN_BYTES
from lambdas.launchers.scratch import is_too_full

from .slot import Slot

_TICK_SECONDS = 0.03
_SCRATCH_SECONDS = 0.25
_MB = 1_000_000


@dataclass(slots=True)
class _Watch:
    slot: Slot
    deadline: float
    memory_bytes: int
    scratch_at: float
    written_bytes: int = -1


class Warden:
    """Kills busy slots that pass their limits; the verdict says which."""

    def __init__(self, lasts: Callable[[Slot], None]) -> None:
        """`lasts` is called on the warden's thread with each slot whose run is no short one."""
        self._lasts = lasts
        self._watches: dict[int, _Watch] = {}
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._sleeps = True
        self._is_closing = False
        self._thread = threading.Thread(target=self._work, name="lambda warden", daemon=True)
        self._thread.start()

    def watch(self, slot: Slot, deadline: float, memory_mb: int) -> None:
        """Watch a slot until `leave`. `deadline` is in monotonic seconds."""
        watch = _Watch(slot, deadline, memory_mb * _MB, time.monotonic() + _SCRATCH_SECONDS)
        with self._lock:
            self._watches[slot.number] = watch
        # Most runs end between two ticks: waking the thread for each would cost more than they do.
        if self._sleeps:
            self._awake.set()

    def leave(self, slot: Slot) -> None:
        """The run has ended."""
        with self._lock:
            self._watches.pop(slot.number, None)

    def close(self) -> None:
        """End the thread."""
        self._is_closing = True
        self._awake.set()
        self._thread.join(5)

    def _work(self) -> None:
        quiet_ticks = 0
        while not self._is_closing:
            with self._lock:
                watches = list(self._watches.values())
            quiet_ticks = 0 if watches else quiet_ticks + 1
            if quiet_ticks > 30:
                self._rest()
                quiet_ticks = 0
                continue
            now = time.monotonic()
            for watch in watches:
                self._look(watch, now)
            nearest = min((watch.deadline for watch in watches), default=now + _TICK_SECONDS)
            time.sleep(min(_TICK_SECONDS, max(0.001, nearest - time.monotonic())))

    def _rest(self) -> None:
        self._awake.clear()
        self._sleeps = True
        with self._lock:
            is_idle = not self._watches
        if is_idle and not self._is_closing:
            self._awake.wait()
        self._sleeps = False

    def _look(self, watch: _Watch, now: float) -> None:
        slot = watch.slot
        if slot.verdict is not None:
            return
        if now >= watch.deadline:
            slot.kill("timed_out")
        elif slot.meter is not None and slot.meter.memory_bytes() > watch.memory_bytes:
            slot.kill("out_of_memory")
        elif now >= watch.scratch_at:
            watch.scratch_at = now + _SCRATCH_SECONDS
            self._lasts(slot)
            if self._wrote_too_much(watch):
                slot.kill("scratch")

    @staticmethod
    def _wrote_too_much(watch: _Watch) -> bool:
        slot = watch.slot
        if slot.launched.scratch is None or slot.meter is None:
            return False
        # What was deleted while it is open takes room too, and only this shows it.
        written = slot.meter.written_bytes()
        if watch.written_bytes < 0:
            watch.written_bytes = written
        try:
            return written - watch.written_bytes > WRITTEN_BYTES or is_too_full(slot.launched.scratch)
        except OSError:
            return False
