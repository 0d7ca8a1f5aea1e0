"""The supervisor: slots by who they belong to, spares for whoever comes next, and who may run now."""

from __future__ import annotations

import atexit
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lambdas.launchers.launcher import CannotLaunch, Launcher
from lambdas.launchers.limits import CPU_SECONDS
from stackyard.core.errors import Problem

from .compiler import Compiled, Compiler, SyntaxFault
from .conversation import Conversation, Listener
from .job import Finished, Job, Services
from .limits import BOOT_SECONDS, HEAP_MB, IDLE_SECONDS, KEPT_MB, SLOT_RUNS, SLOT_SECONDS
from .nursery import Nursery, make_home
from .packages import bundle_path
from .slot import Slot
from .warden import Warden

_Key = tuple[Any, ...]
_KNOWN = Compiled("", ())
_MB = 1_000_000


class Supervisor:
    """Runs jobs in slots. Thread-safe; processes are started at the first job.

    At most `slots` processes work or wait for their lambda's next run, of which one workspace has three quarters at
    most at work; `spares` more are kept booted for lambdas that come next. When no slot comes free within
    `wait_seconds`, `run` raises Problem `BUSY`. `packages` is the folder below which `packages.make_bundle` puts bundles.
    """

    def __init__(
        self,
        launcher: Launcher,
        home: Path,
        *,
        spares: int = 2,
        slots: int | None = None,
        wait_seconds: float = 1.0,
        idle_seconds: float = IDLE_SECONDS,
        packages: Path | None = None,
    ) -> None:
        self.launcher = launcher
        self._process = os.getpid()
        self._parent = home
        self._most_spares = spares
        self._most = slots or max(8, 4 * (os.cpu_count() or 1))
        self._most_of_one = max(1, self._most * 3 // 4)
        self._wait_seconds = wait_seconds
        self._idle_seconds = idle_seconds
        self._packages = packages
        self._changed = threading.Condition()
        self._idle: dict[_Key, list[Slot]] = {}
        self._idle_count = 0
        self._busy: dict[int, Slot] = {}
        self._busy_of: dict[Any, int] = {}
        self._spares: deque[Slot] = deque()
        self._waiting: list[int] = []
        self._trouble: CannotLaunch | None = None
        self._is_started = self._is_closed = False
        self._has_undertaker = True
        # What the undertaker does, in this order: to bury and to bound takes longer than others may wait.
        self._deeds: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._compiler = Compiler(self._take_spare, self._bury)

    # ------------------------------------------------------------ running

    def run(
        self,
        job: Job,
        services: Services,
        *,
        is_cancelled: Callable[[], bool] | None = None,
        on_log: Listener | None = None,
    ) -> Finished:
        """Run a job to its end on this thread. Problem `BUSY` (503, Retry-After) when no slot is free soon,
        `LAMBDA_FAILED` when no process can be started here. `is_cancelled` is asked four times a second; `on_log` gets
        what the code writes as it comes. What `services` raises beyond a Problem ends the run and goes through."""
        self._start()
        slot = self._take(job)
        fit = False
        try:
            known = slot.knows == job.lambda_key
            compiled = _KNOWN if known else self._compiler.compile(job.code)
            bundle = self._bundle(job, compiled)
            talk = Conversation(slot, job, compiled.code, bundle, services, is_cancelled, on_log)
            self._warden.watch(slot, talk.deadline, job.memory_mb)
            finished = talk.hold()
            fit = finished.state == "succeeded"
            return finished
        except SyntaxFault as fault:
            fit = True  # nothing has run in it
            return Finished("failed", error=fault.failure)
        finally:
            self._warden.leave(slot)
            self._give_back(slot, job, fit)

    def _bundle(self, job: Job, compiled: Compiled) -> Path | None:
        """The file with the packages that the code imports, where there is one: publishing makes it."""
        if job.bundle is not None:
            return Path(job.bundle)
        found = bundle_path(self._packages, compiled.imports) if self._packages is not None else None
        return found if found is not None and found.exists() else None

    def compile(self, code: str) -> Compiled:
        """The JavaScript of a lambda and what it imports; nothing is run. SyntaxFault when it is not TypeScript."""
        self._start()
        return self._compiler.compile(code)

    def close(self) -> None:
        """End every process and thread; runs at work end as failed. In a forked child nothing happens."""
        if os.getpid() != self._process:
            return
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
            started = self._is_started
            left = [*self._spares, *(slot for slots in self._idle.values() for slot in slots)]
            self._spares.clear()
            self._idle.clear()
            for slot in self._busy.values():
                slot.kill("closed")
            self._changed.notify_all()
        if started:
            self._compiler.close()
            self._nursery.close()
            for slot in left:
                self._bury(slot)
            with self._changed:
                # A caller that is busy answering a call gives its slot back later, and buries it itself.
                self._changed.wait_for(lambda: not self._busy, 2)
                self._deeds.put(None)
                self._has_undertaker = False
            self._undertaker.join(10)
            self._warden.close()
            atexit.unregister(self.close)

    def counts(self) -> dict[str, int]:
        """How many slots are busy, idle, spare, for pages that show it."""
        with self._changed:
            return {"busy": len(self._busy), "idle": self._idle_count, "spare": len(self._spares)}

    # ------------------------------------------------------------ slots

    def _start(self) -> None:
        if self._is_started:
            return
        with self._changed:
            if self._is_started:
                return
            self._refuse()
            home = make_home(self._parent)
            self._warden = Warden(self._bound)
            self._undertaker = threading.Thread(target=self._undertake, name="lambda undertaker", daemon=True)
            self._undertaker.start()
            self._nursery = Nursery(self.launcher, home, self._missing, self._born, self._failed)
            self._is_started = True
            atexit.register(self.close)

    def _take(self, job: Job) -> Slot:
        key = (job.workspace_id, job.lambda_key, job.memory_mb)
        heap_mb = HEAP_MB if job.memory_mb <= HEAP_MB else job.memory_mb
        no_boot = time.monotonic() + BOOT_SECONDS
        no_room: float | None = None
        with self._changed:
            while True:
                slot = self._find(job, key, heap_mb)
                if slot is not None:
                    return slot
                has_room = self._has_room(job)
                if has_room or self._is_closed:
                    self._refuse()
                if has_room:
                    no_room = None
                    self._wait(heap_mb, no_boot)
                else:
                    no_room = no_room or time.monotonic() + self._wait_seconds
                    self._wait(None, no_room)

    def _find(self, job: Job, key: _Key, heap_mb: int) -> Slot | None:
        """A slot that can run the job now, taken; the lock is held."""
        if self._busy_of.get(job.workspace_id, 0) >= self._most_of_one:
            return None
        slot = None
        own = self._idle.get(key)
        while own and not job.once and slot is None:
            slot = own.pop()
            self._idle_count -= 1
            if not own:
                del self._idle[key]
            if not slot.channel.is_quiet():
                self._bury(slot)
                slot = None
        if slot is None and len(self._busy) < self._most:
            slot = self._find_spare(heap_mb)
            if slot is not None and len(self._busy) + self._idle_count >= self._most:
                self._close_oldest()
        if slot is None:
            return None
        slot.key = key
        self._busy[slot.number] = slot
        self._busy_of[job.workspace_id] = self._busy_of.get(job.workspace_id, 0) + 1
        return slot

    def _find_spare(self, heap_mb: int) -> Slot | None:
        for slot in [slot for slot in self._spares if slot.heap_mb == heap_mb]:
            self._spares.remove(slot)
            self._nursery.wake()
            if slot.channel.is_quiet():
                return slot
            self._bury(slot)
        return None

    def _take_spare(self) -> Slot:
        """A fresh slot for the compiler: one more than `slots`."""
        deadline = time.monotonic() + BOOT_SECONDS
        with self._changed:
            while True:
                slot = self._find_spare(HEAP_MB)
                if slot is not None:
                    return slot
                self._refuse()
                self._wait(HEAP_MB, deadline)

    def _refuse(self) -> None:
        """Raise what stands against starting any process."""
        if self._is_closed:
            raise Problem("BUSY", "The platform is being stopped.", headers={"Retry-After": "1"})
        if self._trouble is not None:
            raise Problem("LAMBDA_FAILED", str(self._trouble))

    def _has_room(self, job: Job) -> bool:
        of_one = self._busy_of.get(job.workspace_id, 0)
        return len(self._busy) < self._most and of_one < self._most_of_one

    def _wait(self, heap_mb: int | None, deadline: float) -> None:
        """Wait for a change, asking for a boot when one is needed. BUSY at the deadline."""
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise Problem(
                "BUSY",
                "Every place where lambdas run is taken.",
                suggestion="Try again in a second.",
                headers={"Retry-After": "1"},
            )
        if heap_mb is not None:
            self._waiting.append(heap_mb)
            self._nursery.wake()
        try:
            self._changed.wait(seconds)
        finally:
            if heap_mb is not None:
                self._waiting.remove(heap_mb)

    def _give_back(self, slot: Slot, job: Job, fit: bool) -> None:
        now = time.monotonic()
        slot.runs += 1
        slot.last_used_at = now
        stays = fit and not job.once and slot.verdict is None and self._is_fresh(slot, now)
        if stays:
            try:
                slot.sweep()
            except OSError:
                stays = False
        with self._changed:
            del self._busy[slot.number]
            left = self._busy_of[job.workspace_id] - 1
            if left:
                self._busy_of[job.workspace_id] = left
            else:
                del self._busy_of[job.workspace_id]
            if stays and not self._is_closed:
                self._idle.setdefault(slot.key, []).append(slot)
                self._idle_count += 1
            elif self._has_undertaker:
                self._bury(slot)
            buries = not self._has_undertaker
            self._changed.notify_all()
        if buries:
            slot.bury()

    @staticmethod
    def _is_fresh(slot: Slot, now: float) -> bool:
        if slot.runs >= SLOT_RUNS or now - slot.started_at > SLOT_SECONDS or slot.meter is None:
            return False
        if slot.meter.memory_bytes() > KEPT_MB * _MB:
            return False
        return slot.runs % 64 != 0 or slot.meter.cpu_seconds() < CPU_SECONDS / 2

    def _bury(self, slot: Slot) -> None:
        self._deeds.put(slot.bury)

    def _bound(self, slot: Slot) -> None:
        self._deeds.put(slot.bound_memory)

    def _close_oldest(self) -> None:
        """Close the idle slot that was used longest ago; the lock is held."""
        slot = min(
            (slots[0] for slots in self._idle.values()), key=lambda one: one.last_used_at, default=None
        )
        if slot is not None:
            self._forget(slot)

    def _forget(self, slot: Slot) -> None:
        slots = self._idle[slot.key]
        slots.remove(slot)
        if not slots:
            del self._idle[slot.key]
        self._idle_count -= 1
        self._bury(slot)

    # ------------------------------------------------------------ called by the threads

    def _missing(self) -> tuple[list[int], list[int]]:
        """Heap sizes of the slots to be booted: for those who wait, and as spares."""
        with self._changed:
            if self._is_closed:
                return [], []
            wanted = list(self._waiting)
            there = [slot.heap_mb for slot in self._spares]
            for heap_mb in there:
                if heap_mb in wanted:
                    wanted.remove(heap_mb)
            return wanted, [HEAP_MB] * (self._most_spares - there.count(HEAP_MB))

    def _born(self, slot: Slot) -> None:
        with self._changed:
            self._trouble = None
            self._spares.append(slot)
            self._changed.notify_all()

    def _failed(self, error: CannotLaunch) -> None:
        with self._changed:
            self._trouble = error
            self._changed.notify_all()

    def _undertake(self) -> None:
        """The undertaker's thread: reaps what was killed, and closes slots that nobody has used for long."""
        pause = min(2.0, self._idle_seconds / 2)
        look_at = time.monotonic() + pause
        while True:
            try:
                deed = self._deeds.get(timeout=max(0.0, look_at - time.monotonic()))
                if deed is None:
                    return
                deed()
            except queue.Empty:
                pass
            if time.monotonic() >= look_at:
                self._close_idle()
                look_at = time.monotonic() + pause

    def _close_idle(self) -> None:
        """Close what is idle for long, what has died or works on its own, and spares of a size nobody waits for."""
        since = time.monotonic() - self._idle_seconds
        with self._changed:
            for slot in [slot for slots in self._idle.values() for slot in slots]:
                if slot.last_used_at < since or slot.launched.popen.poll() is not None or slot.is_restless():
                    self._forget(slot)
            for slot in list(self._spares):
                is_odd = slot.heap_mb != HEAP_MB and slot.heap_mb not in self._waiting
                if is_odd or slot.launched.popen.poll() is not None:
                    self._spares.remove(slot)
                    self._bury(slot)
                    self._nursery.wake()
        self._compiler.close(since)
