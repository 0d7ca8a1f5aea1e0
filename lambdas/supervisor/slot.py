"""A slot: one process that runs code, as the supervisor sees it."""

from __future__ import annotations

import itertools
import os
import resource
import secrets
import time
from contextlib import suppress
from subprocess import TimeoutExpired
from typing import Any

from lambdas.launchers.launcher import ON_LINUX, CannotLaunch, Launched, Launcher, Order
from lambdas.launchers.limits import BESIDE_HEAP_MB, CPU_SECONDS, number, process_limits
from lambdas.launchers.memory_group import MemoryGroup
from lambdas.launchers.scratch import empty

from .frames import DONE, LOG, READY, RPC, BadFrame, Channel, Ended, Frame, Late
from .limits import (
    BOOT_SECONDS,
    LOG_FRAME_BYTES,
    OUTPUT_FRAME_BYTES,
    RPC_BYTES,
    WAITING_BYTES,
)
from .memory import Meter

_LONGEST = {READY: 1_000, LOG: LOG_FRAME_BYTES, RPC: RPC_BYTES, DONE: OUTPUT_FRAME_BYTES}
# Collecting garbage and such takes a little.
_REAP_SECONDS = 1.0
_RESTLESS_SECONDS = 0.5
_RENEW_SECONDS = 1.0
_CORES = os.cpu_count() or 1
_numbers = itertools.count(1)


class Slot:
    """A process and what is known of it. It belongs to `key` from its first run on, and has one user at a time."""

    def __init__(self, launcher: Launcher, launched: Launched, heap_mb: int) -> None:
        self.number = next(_numbers)
        self.launcher = launcher
        self.launched = launched
        self.heap_mb = heap_mb
        self.key: Any = None
        self.knows: str | None = None
        self.runs = 0
        self.started_at = self.last_used_at = time.monotonic()
        self.verdict: str | None = None
        self.meter: Meter | None = None
        self._idle_mark = (0.0, 0.0)
        self._is_bounded = False
        # When processor time was last allowed, and for how many seconds.
        self._allowed = (-_RENEW_SECONDS, 0.0)
        popen = launched.popen
        to, self.output, error = (pipe.fileno() for pipe in (popen.stdin, popen.stdout, popen.stderr) if pipe)
        self.channel = Channel(to, self.output, error, _LONGEST, WAITING_BYTES)

    @classmethod
    def launch(cls, launcher: Launcher, order: Order) -> Slot:
        """Start a process; it is of use once `greet` has returned. CannotLaunch when it can't be started."""
        try:
            return cls(launcher, launcher.launch(order), order.heap_mb)
        except OSError as error:
            raise CannotLaunch(f"The launcher {launcher.name} can't start a process: {error}") from error

    def greet(self, seconds: float = BOOT_SECONDS) -> None:
        """Wait until the process says that it is ready, then put its limits on. CannotLaunch when it does not."""
        try:
            frame = self.channel.receive(time.monotonic() + seconds)
            if frame.kind != READY:
                raise BadFrame("it did not say that it is ready")
            self.launcher.settle(self.launched)
        except (BadFrame, Ended, Late, OSError) as error:
            self.kill("boot")
            self.channel.drain()
            said = self.channel.stderr.strip().splitlines()[-3:] or [str(error) or type(error).__name__]
            raise CannotLaunch(
                f"A process of the launcher {self.launcher.name} did not start: {' '.join(said)}"
            ) from error
        self._limit()
        self.meter = Meter(self.launched)

    def _limit(self) -> None:
        """Kernel limits that hold without the supervisor. Where it may not set them the launcher has."""
        inner = self.launched.inner
        if inner is None or not ON_LINUX:
            return
        with suppress(PermissionError, ProcessLookupError):
            for name, value in process_limits(self.heap_mb).items():
                resource.prlimit(inner, number(name), (value, value))

    def bound_memory(self) -> None:
        """Put the process into a memory cgroup, once, where that can be done.

        Not at its start: moving a process makes every fork of the machine wait for about 10 ms.
        """
        inner, launched = self.launched.inner, self.launched
        if self._is_bounded or inner is None or self.launcher.bounds_memory or self.verdict is not None:
            return
        self._is_bounded = True
        launched.group = MemoryGroup.make(inner, (self.heap_mb + BESIDE_HEAP_MB) * 1_000_000)

    def allow_cpu(self, seconds: float) -> None:
        """Renew the processor time limit for one run of at most `seconds`, on as many cores as there are.

        It is what ends a busy process when nobody watches it any more, and may come a second late: runs that follow
        each other closely need it renewed once a second only.
        """
        if self.meter is None or not ON_LINUX or self.launched.inner is None:
            return
        now, (allowed_at, allowed_seconds) = time.monotonic(), self._allowed
        if now - allowed_at < _RENEW_SECONDS and seconds <= allowed_seconds + _RENEW_SECONDS / 2:
            return
        self._allowed = (now, seconds)
        soft = min(int(self.meter.cpu_seconds() + (seconds + _RENEW_SECONDS) * _CORES) + 2, CPU_SECONDS)
        with suppress(PermissionError, ProcessLookupError):
            resource.prlimit(self.launched.inner, resource.RLIMIT_CPU, (soft, CPU_SECONDS))

    def say(self, kind: int, payload: bytes, deadline: float) -> int:
        """Send `run` or `compile` with a token of its own: what the process says has to carry it."""
        token = secrets.randbits(32)
        self.channel.send(kind, token, payload, deadline)
        return token

    def hear(self, token: int, deadline: float) -> Frame:
        """The next frame of that run. BadFrame for one of another."""
        frame = self.channel.receive(deadline)
        if frame.token != token or frame.kind == READY:
            raise BadFrame("a frame of another run")
        return frame

    def kill(self, verdict: str) -> None:
        """End the process now; the first verdict stays. Any thread may call this, any number of times."""
        if self.verdict is None:
            self.verdict = verdict
        if self.launched.popen.returncode is None:
            self.launcher.kill(self.launched)

    def reap(self) -> int:
        """The status of the program that was killed.

        It may be a container engine's, and runc at times misses the end of its container and stays for good: what it
        held is dead by then, so after a second it is killed itself.
        """
        popen = self.launched.popen
        try:
            return popen.wait(_REAP_SECONDS)
        except TimeoutExpired:
            popen.kill()
            return popen.wait()

    def bury(self) -> None:
        """Kill, reap, give everything back. Called once, when nobody uses the slot any more."""
        self.kill("closed")
        self.reap()
        if self.meter is not None:
            self.meter.close()
        popen = self.launched.popen
        for stream in (popen.stdin, popen.stdout, popen.stderr):
            if stream is not None:
                stream.close()
        self.launcher.discard(self.launched)

    def is_restless(self) -> bool:
        """Whether it worked between the last time this was asked and now, though nobody ran anything in it."""
        cpu = self.meter.cpu_seconds() if self.meter is not None else 0.0
        used_at, before = self._idle_mark
        self._idle_mark = (self.last_used_at, cpu)
        return used_at == self.last_used_at and cpu - before > _RESTLESS_SECONDS

    def sweep(self) -> None:
        """Empty the scratch directory. OSError when it can't be emptied."""
        if self.launched.scratch is not None:
            empty(self.launched.scratch)
