"""Runs an installation's processes in the foreground: starts them, starts the fallen again, stops them all.

Each process leads a session of its own, so that a Ctrl-C reaches the supervisor alone, and so that
whatever a process has forked is found, and ended, by its group. When the supervisor itself is killed
outright, the kernel tells its children (see `lifeline`).
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from .lifeline import stop_with_parent

_TICK_SECONDS = 0.1
_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 30.0
# A process that ran this long had started well: its next end is a new story.
_SETTLED_SECONDS = 30.0
_ATTEMPTS_BEFORE_READY = 3
_STOP_SECONDS = 12.0


@dataclass(frozen=True)
class Program:
    """What is run: a name for people, a command line, and how long it may take to stop when it is asked to."""

    name: str
    command: Sequence[str]
    stop_seconds: float = _STOP_SECONDS


class Child:
    """One program kept running. `say` gets a line for people when something happened."""

    def __init__(self, program: Program, say: Callable[[str], None]) -> None:
        self.program = program
        self.failures = 0
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._start_at = 0.0

    def tend(self) -> None:
        """Start it when it is due; notice when it has ended, and plan the next start."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._start_at:
                self._start(now)
        elif self._process.poll() is not None:
            self._bury(now)

    def _start(self, now: float) -> None:
        parent = os.getpid()
        # The one call between fork and exec is a system call: safe with threads about.
        self._process = subprocess.Popen(
            self.program.command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: stop_with_parent(parent),
        )
        self._started_at = now

    def _bury(self, now: float) -> None:
        assert self._process is not None
        status = self._process.returncode
        self.kill()
        self._process = None
        self.failures = 1 if now - self._started_at > _SETTLED_SECONDS else self.failures + 1
        delay = min(_FIRST_DELAY_SECONDS * 2 ** (self.failures - 1), _LONGEST_DELAY_SECONDS)
        self._start_at = now + delay
        ended = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        self._say(f"{self.program.name} {ended}; starting it again in {delay:g} s")

    def ask_to_stop(self) -> None:
        """SIGTERM to the process alone: it knows best how to stop what it has started."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()

    def kill(self) -> None:
        """SIGKILL to the process and to all that it started, whether it is still there or not."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    @property
    def is_running(self) -> bool:
        """Whether the process is there now."""
        return self._process is not None and self._process.poll() is None


class Supervisor:
    """Keeps programs running until SIGINT, SIGTERM or SIGHUP; then leaves none of them behind."""

    def __init__(self, programs: Sequence[Program], say: Callable[[str], None] = print) -> None:
        self._say = say
        self._children = [Child(program, say) for program in programs]
        self._signals = 0

    def run(self, is_ready: Callable[[], bool], on_ready: Callable[[], None]) -> int:
        """Start everything, call `on_ready` once `is_ready` says so, and stay. The status to exit with.

        0 after a stop that was asked for; 1 when a program kept ending before it was ever ready.
        """
        self._listen()
        ready = False
        try:
            while not self._signals:
                for child in self._children:
                    child.tend()
                if not ready and is_ready():
                    ready = True
                    on_ready()
                if not ready and any(child.failures >= _ATTEMPTS_BEFORE_READY for child in self._children):
                    self._say("giving up: it did not start; the lines above say why")
                    return 1
                time.sleep(_TICK_SECONDS)
            return 0
        finally:
            self._stop()

    def _listen(self) -> None:
        def count(number: int, frame: object) -> None:
            self._signals += 1

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup has set SIGHUP to be ignored, and means it.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, count)

    def _stop(self) -> None:
        """SIGTERM to all at once, SIGKILL to what is left after a while or at a second Ctrl-C."""
        asked = self._signals
        for child in self._children:
            child.ask_to_stop()
        began = time.monotonic()
        while self._signals == asked and any(
            child.is_running and time.monotonic() - began < child.program.stop_seconds
            for child in self._children
        ):
            time.sleep(_TICK_SECONDS / 2)
        for child in self._children:
            child.kill()
