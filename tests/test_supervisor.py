"""The supervisor keeps processes running, and leaves none behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# A supervisor of one program: Python code that is given the folder where it leaves its traces.
SUPERVISE = """
import pathlib, sys
from stackyard.start.supervisor import Program, Supervisor
folder = pathlib.Path(sys.argv[2])
program = Program("worker", (sys.executable, "-c", sys.argv[1], str(folder)))
sys.exit(Supervisor([program]).run((folder / "ready").exists, lambda: print("up", flush=True)))
"""
# Leaves its id, and that of a child which it never waits for.
FAITHFUL = """
import os, pathlib, subprocess, sys, time
folder = pathlib.Path(sys.argv[1])
child = subprocess.Popen(["sleep", "300"])
with open(folder / "pids", "a") as file:
    file.write(f"{os.getpid()} {child.pid}\\n")
(folder / "ready").touch()
time.sleep(300)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FAITHFUL
FAILING = "import sys; sys.exit(3)"


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start a supervisor of a program; it is killed at the end of the test at the latest."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SUPERVISE, program, str(tmp_path)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    for pid in family(tmp_path):
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def family(folder: Path) -> list[int]:
    """The ids of every program that was started, and of their children."""
    path = folder / "pids"
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def is_alive(pid: int) -> bool:
    """Whether a process runs (one that has ended and waits to be buried does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def gone(folder: Path) -> bool:
    """Whether nothing that was started is still there."""
    return not any(is_alive(pid) for pid in family(folder))


def wait_until_up(process: subprocess.Popen[str], folder: Path) -> None:
    """Wait for the supervisor to say so."""
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    assert len(family(folder)) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_process_and_its_children(
    supervise, tmp_path: Path, number: signal.Signals
) -> None:
    process = supervise(FAITHFUL)
    wait_until_up(process, tmp_path)
    process.send_signal(number)
    assert process.wait(20) == 0
    assert gone(tmp_path)


def test_a_fallen_process_is_started_again_without_its_old_children(supervise, tmp_path: Path) -> None:
    process = supervise(FAITHFUL)
    wait_until_up(process, tmp_path)
    first, its_child = family(tmp_path)
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: len(family(tmp_path)) == 4)
    assert eventually(lambda: not is_alive(its_child))
    assert "worker was ended by signal 9; starting it again in 0.5 s" in process.stdout.readline()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent died")
def test_killing_the_supervisor_outright_leaves_no_orphan(supervise, tmp_path: Path) -> None:
    process = supervise(FAITHFUL)
    wait_until_up(process, tmp_path)
    process.kill()
    assert eventually(lambda: not is_alive(family(tmp_path)[0]))


def test_a_second_signal_kills_what_will_not_stop(supervise, tmp_path: Path) -> None:
    process = supervise(STUBBORN)
    wait_until_up(process, tmp_path)
    process.terminate()
    time.sleep(0.5)
    assert process.poll() is None
    process.terminate()
    assert process.wait(5) == 0
    assert gone(tmp_path)


def test_a_program_that_never_starts_ends_the_start_with_a_reason(supervise) -> None:
    process = supervise(FAILING)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "worker ended with status 3; starting it again in 0.5 s" in output
    assert "giving up" in output
