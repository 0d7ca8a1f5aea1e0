"""The nursery boots processes ahead of need, off the caller's path.

Every process is started by this one thread, which lives as long as the supervisor: the kernel ends a
process when the *thread* that started it ends (PR_SET_PDEATHSIG, prctl(2)).
"""

from __future__ import annotations

import os
import select
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lambdas.launchers.launcher import CannotLaunch, Launcher, Order

from .limits import BOOT_SECONDS
from .slot import Slot

_AT_ONCE = max(2, os.cpu_count() or 1) + 1
_LONGEST_PAUSE_SECONDS = 5.0
_FAILURES_TOLD = 3
# Whoever has just taken a spare runs first: a boot at the same time would take half of its cores.
_SPARES_WAIT_SECONDS = 0.006


class Nursery:
    """Boots as many slots as `wanted` says. `born` is called with each that is up, `failed` when
    one after the other does not come up.

    All three are called on the nursery's own thread. `wanted` gives the heap sizes (in MB) of the slots that somebody
    waits for, and of the spares that are missing, those that are being booted included.
    """

    def __init__(
        self,
        launcher: Launcher,
        home: Path,
        wanted: Callable[[], tuple[list[int], list[int]]],
        born: Callable[[Slot], None],
        failed: Callable[[CannotLaunch], None],
    ) -> None:
        self._launcher = launcher
        self._home = home
        self._wanted = wanted
        self._born = born
        self._failed = failed
        self._booting: dict[int, tuple[Slot, float]] = {}
        self._poll = select.poll()
        self._bell, self._ring = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        self._poll.register(self._bell, select.POLLIN)
        self._pause = 0.0
        self._not_before = 0.0
        self._spares_at = 0.0
        self._failures = 0
        self._is_closing = False
        self._thread = threading.Thread(target=self._work, name="lambda nursery", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something is wanted."""
        with suppress(BlockingIOError, OSError):
            os.write(self._ring, b".")

    def close(self) -> None:
        """Stop booting and end the thread; what is booting is killed."""
        self._is_closing = True
        self.wake()
        self._thread.join(BOOT_SECONDS)

    def _work(self) -> None:
        while not self._is_closing:
            self._start_missing()
            for descriptor, _events in self._poll.poll(self._timeout()):
                if descriptor == self._bell:
                    with suppress(BlockingIOError):
                        os.read(self._bell, 4096)
                else:
                    self._greet(descriptor)
            self._drop_the_late()
        for slot, _deadline in self._booting.values():
            slot.bury()
        os.close(self._bell)
        os.close(self._ring)

    def _timeout(self) -> float:
        now = time.monotonic()
        times = [deadline for _slot, deadline in self._booting.values()]
        times += [moment for moment in (self._not_before, self._spares_at) if moment > now]
        return max(0.0, min(times) - now) * 1000 + 1 if times else 60_000

    def _start_missing(self) -> None:
        now = time.monotonic()
        if now < self._not_before:
            return
        urgent, spares = self._wanted()
        missing = urgent + spares
        for slot, _deadline in self._booting.values():
            if slot.heap_mb in missing:
                missing.remove(slot.heap_mb)
        if not missing:
            self._spares_at = 0.0
            return
        if not urgent:
            self._spares_at = self._spares_at or now + _SPARES_WAIT_SECONDS
            if now < self._spares_at:
                return
        self._spares_at = 0.0
        for heap_mb in missing[: max(0, _AT_ONCE - len(self._booting))]:
            try:
                slot = Slot.launch(self._launcher, Order(self._home / os.urandom(8).hex(), heap_mb))
            except CannotLaunch as error:
                self._give_up(error)
                return
            self._booting[slot.output] = (slot, time.monotonic() + BOOT_SECONDS)
            self._poll.register(slot.output, select.POLLIN)

    def _greet(self, descriptor: int) -> None:
        slot, deadline = self._booting.pop(descriptor)
        self._poll.unregister(descriptor)
        try:
            slot.greet(max(0.001, deadline - time.monotonic()))
        except CannotLaunch as error:
            slot.bury()
            self._give_up(error)
            return
        self._pause = 0.0
        self._failures = 0
        self._born(slot)

    def _drop_the_late(self) -> None:
        now = time.monotonic()
        for descriptor, (_slot, deadline) in list(self._booting.items()):
            if deadline <= now:
                self._greet(descriptor)

    def _give_up(self, error: CannotLaunch) -> None:
        """Don't try again at once; tell those who wait when it happens again and again."""
        self._failures += 1
        self._pause = min(_LONGEST_PAUSE_SECONDS, self._pause * 2 or 0.1)
        self._not_before = time.monotonic() + self._pause
        if self._failures >= _FAILURES_TOLD:
            self._failed(error)


def make_home(parent: Path) -> Path:
    """A folder for the slots of this process, emptied of what processes left that are no more."""
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in parent.iterdir():
        pid = folder.name.partition("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
    home = parent / f"{os.getpid()}-{os.urandom(4).hex()}"
    home.mkdir(mode=0o700)
    return home


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
