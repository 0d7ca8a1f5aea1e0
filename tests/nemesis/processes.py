"""The processes that the nemesis hurts: each leads a group of its own, and is started again when it has fallen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TICK_SECONDS = 0.05


class Process:
    """A Python module kept running, its output in a file."""

    def __init__(self, name: str, module: str, arguments: Callable[[], list[str]], output: Path) -> None:
        self.name = name
        self.starts = 0
        self._module, self._arguments, self._output = module, arguments, output
        self._process: subprocess.Popen[bytes] | None = None

    def tend(self, environment: Mapping[str, str]) -> None:
        """Start it when it is not there; what a fallen one has left of its group is killed, as our supervisor does."""
        if self._process is not None and self._process.poll() is None:
            return
        self.kill_group()
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module, *self._arguments()],
                cwd=ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.starts += 1

    @property
    def pid(self) -> int | None:
        """The id of its main process, while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def children(self) -> list[int]:
        """The ids of what its main process has forked."""
        if self.pid is None:
            return []
        with suppress(OSError):
            return [
                int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            ]
        return []

    def kill_group(self) -> None:
        """SIGKILL to all of it."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def ask_to_stop(self) -> None:
        """SIGTERM to its main process."""
        if self._process is not None:
            self._process.terminate()

    def stop(self, seconds: float = 5) -> None:
        """Wait until it has stopped; SIGKILL to what is left."""
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
        self.kill_group()


class Keeper:
    """A thread that tends processes until `stop`; leaves none of them behind."""

    def __init__(self, processes: list[Process], environment: Mapping[str, str]) -> None:
        self.processes, self._environment = processes, environment
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._tend, daemon=True)

    def __enter__(self) -> Keeper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.retire(self.processes)
        self._over.set()
        self._thread.join()

    def _tend(self) -> None:
        while not self._over.wait(_TICK_SECONDS):
            with self._lock:
                for process in self.processes:
                    process.tend(self._environment)

    def release(self, process: Process) -> None:
        """Do not start one again; it runs on."""
        with self._lock:
            self.processes = [other for other in self.processes if other is not process]

    def retire(self, processes: list[Process]) -> None:
        """Stop some for good."""
        with self._lock:
            self.processes = [process for process in self.processes if process not in processes]
        for process in processes:
            process.ask_to_stop()
        for process in processes:
            process.stop()


def signal_quietly(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def freeze(pid: int, seconds: float) -> None:
    """SIGSTOP, and SIGCONT after a while."""
    freeze_all([pid], seconds)


def freeze_all(pids: list[int], seconds: float) -> None:
    """SIGSTOP to several, and SIGCONT after a while."""
    for pid in pids:
        signal_quietly(pid, signal.SIGSTOP)
    time.sleep(seconds)
    for pid in pids:
        signal_quietly(pid, signal.SIGCONT)
