"""Code that means harm, against every launcher that runs here (the table is `tests/hostile_lambdas.py`).

Nothing read, nothing reached, dead in time, neighbours unharmed, and the run recorded as what it was.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lambdas.launchers import CannotLaunch, Launched
from lambdas.supervisor import Finished, Job, Supervisor
from tests import slots
from tests.conftest import absent
from tests.hostile_lambdas import ALL, LARGE, LATE, Hostile

MEMORY_MB = 96
CANARY = "canary-d41d8cd98f00"
LEFT_BEHIND = Path("/tmp/stackyard-was-here")
AT_ONCE = 4


@dataclass
class Traps:
    """What must not be touched, and who notices."""

    secret: Path
    port: int
    path: Path
    sockets: list[socket.socket]
    hits: list[str] = field(default_factory=list)

    def put_into(self, code: str) -> str:
        """The code with the real places in it."""
        return (
            code.replace("$SECRET", str(self.secret))
            .replace("$PORT", str(self.port))
            .replace("$SOCKET", str(self.path))
        )

    def listen(self) -> None:
        """Accept until the sockets are closed."""
        for one in self.sockets:
            threading.Thread(target=self._accept, args=(one,), daemon=True).start()

    def _accept(self, one: socket.socket) -> None:
        while True:
            try:
                if one.type == socket.SOCK_DGRAM:
                    one.recvfrom(100)
                else:
                    one.accept()[0].close()
            except OSError:
                return
            self.hits.append(str(one))


@pytest.fixture
def traps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traps]:
    """A file, a variable, and listeners over TCP, UDP and a socket file."""
    monkeypatch.setenv("STACKYARD_CANARY", CANARY)
    secret = tmp_path / "secret"
    secret.write_text(CANARY)
    LEFT_BEHIND.unlink(missing_ok=True)
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = tcp.getsockname()[1]
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", port))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(str(tmp_path / "socket"))
        unix.listen()
        sockets = [tcp, udp, unix]
        if socket.has_ipv6:
            with suppress(OSError):
                sockets.append(
                    stack.enter_context(socket.create_server(("::1", port), family=socket.AF_INET6))
                )
        found = Traps(secret, port, tmp_path / "socket", sockets)
        found.listen()
        yield found


class Scales:
    """Notes when each process passed the memory limit and when it was last seen alive after that."""

    def __init__(self, started: list[Launched]) -> None:
        self._started = started
        self.seconds_past: dict[int, float] = {}
        self._since: dict[int, float] = {}
        self._stops = False
        self._thread = threading.Thread(target=self._weigh, daemon=True)
        self._thread.start()

    def _weigh(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._stops:
            for launched in list(self._started):
                pid = launched.inner
                if pid is None or launched.popen.returncode is not None:
                    continue
                try:
                    numbers = Path(f"/proc/{pid}/statm").read_text().split()
                except OSError:
                    continue
                if (int(numbers[1]) - int(numbers[2])) * page > MEMORY_MB * 1_000_000:
                    now = time.monotonic()
                    self.seconds_past[pid] = now - self._since.setdefault(pid, now)
            time.sleep(0.01)

    def stop(self) -> None:
        """No more weighing."""
        self._stops = True
        self._thread.join()


class Neighbour:
    """An honest lambda of another workspace, called all the time: it must not notice anything."""

    CODE = "globalThis.calls = (globalThis.calls ?? 0) + 1; return [globalThis.calls, await db.get('x'), input * 2]"

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.calls = 0
        self.trouble: list[object] = []
        self._stops = False
        self._thread = threading.Thread(target=self._call, daemon=True)
        self._thread.start()

    def _call(self) -> None:
        answers = slots.Answers({"db.get": lambda name: name})
        while not self._stops:
            self.calls += 1
            job = Job(2, "neighbour", self.CODE, input=self.calls, timeout_seconds=20)
            try:
                finished = self._supervisor.run(job, answers)
            except Exception as error:
                self.trouble.append(error)
                return
            if finished.value != [self.calls, "x", self.calls * 2]:
                self.trouble.append(finished)
                return
            time.sleep(0.02)

    def stop(self) -> None:
        """No more calls."""
        self._stops = True
        self._thread.join()


class Trial:
    """The table against one supervisor."""

    def __init__(self, supervisor: Supervisor, traps: Traps, started: list[Launched]) -> None:
        self.supervisor = supervisor
        self.traps = traps
        self.started = started
        self.faults: list[str] = []

    def attempt(self, hostile: Hostile) -> tuple[Finished, float]:
        """Run one of them; how it ended, and how long after its time limit it was dead."""
        job = Job(
            1,
            hostile.name,
            self.traps.put_into(hostile.code),
            timeout_seconds=hostile.seconds,
            memory_mb=MEMORY_MB,
            once=True,
        )
        finished = self.supervisor.run(job, slots.Answers())
        return finished, finished.duration_seconds - hostile.seconds

    def judge(self, hostile: Hostile) -> None:
        """One entry: every fault is noted."""
        finished, late = self.attempt(hostile)
        said = f"{finished.value!r} {finished.error!r} {finished.logs[:100_000]}"
        if finished.state not in hostile.ends:
            self.faults.append(f"{hostile.name}: ended {finished.state} {said[:300]}")
        for sign in (CANARY, "root:x:", "forged'"):
            if sign in said and not (sign == "forged'" and not hostile.name.startswith("frames")):
                self.faults.append(f"{hostile.name}: {sign} came out: {said[:200]}")
        if finished.state == "timed_out" and late > 0.05:
            # Four of them and a neighbour share the cores: what counts is what a quiet moment allows.
            self.faults_late.append(hostile)

    faults_late: list[Hostile]

    def run(self, table: list[Hostile]) -> None:
        """All of them, some at once."""
        self.faults_late = []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self.judge, table))
        for hostile in self.faults_late:
            lates = [self.attempt(hostile)[1] for _ in range(3)]
            if min(lates) > 0.05:
                self.faults.append(f"{hostile.name}: dead {min(lates):.3f} s after its time limit")


@pytest.mark.parametrize("name", slots.LAUNCHERS)
def test_hostile_code_reaches_nothing_and_dies_in_time(name: str, traps: Traps, tmp_path: Path) -> None:
    try:
        launcher = slots.make_launcher(name, tmp_path / "lambdas")
    except CannotLaunch as error:
        absent(f"the launcher {name} does not run here: {error}")
    started = slots.watched(launcher)
    supervisor = Supervisor(launcher, tmp_path / "slots", spares=3, slots=8, wait_seconds=60)
    scales, neighbour = Scales(started), Neighbour(supervisor)
    trial = Trial(supervisor, traps, started)
    try:
        trial.run(ALL if name != "container" else ALL[::2])
    finally:
        scales.stop()
        neighbour.stop()
        supervisor.close()
    assert not trial.faults, "\n".join(trial.faults)
    assert not traps.hits
    assert not LEFT_BEHIND.exists()
    assert traps.secret.read_text() == CANARY
    assert max(scales.seconds_past.values(), default=0) < 1
    assert not neighbour.trouble
    assert neighbour.calls > 20
    assert not [launched.inner for launched in started if launched.inner and slots.is_running(launched.inner)]
    assert not list((tmp_path / "slots").glob("*/*"))


__all__ = ["LARGE", "LATE"]
