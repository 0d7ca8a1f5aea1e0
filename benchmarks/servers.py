"""The servers that are measured: each a process tree on a free port, whose processor time can be read."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load
from tests.services import free_port

ROOT = Path(__file__).resolve().parents[1]
_START_SECONDS = 60
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """A server that answers. `pid` leads its process tree."""

    name: str
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time that the tree has spent so far (Linux: /proc/PID/stat, in ticks of 10 ms)."""
        return sum(_cpu_seconds(pid) for pid in _tree(self.pid))


@contextmanager
def serving(name: str, command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """Run a web server on a free port (given as PORT) until the block ends. RuntimeError when it does not start."""
    port = free_port()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [part.replace("{port}", str(port)) for part in command],
            cwd=ROOT,
            env={**os.environ, **environment, "PORT": str(port), "HOST": "127.0.0.1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            if not _comes_up(process, port):
                output.seek(0)
                raise RuntimeError(f"{name} did not start:\n{output.read()[-3000:]}")
            yield Server(name, port, process.pid)
        finally:
            process.terminate()
            process.wait(20)


def _comes_up(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            load.body_of(port, load.http_request("GET", "/", {}, status=0))
        except load.UnexpectedAnswer:
            return True
        except OSError:
            time.sleep(0.1)
    return False


def run_module(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run one of our modules in a process of its own; what it printed. RuntimeError when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    if done.returncode:
        raise RuntimeError(f"{arguments[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
    return done.stdout.strip()


def ours(environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Command and environment of our own server: the one that `make up` runs, one worker with one thread."""
    settings = {
        "WEB_PROCESSES": "1",
        "WEB_THREADS": "1",
        "STACKYARD_CALLS_PER_SECOND": "1000000",
        "REDIS_URL": "",
    }
    return [sys.executable, "-m", "stackyard.start.web"], {**environment, **settings}


def peer(environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Command and environment of the peer: the same server, one worker with one thread."""
    options = ["--workers", "1", "--blocking-threads", "1", "--http", "1", "--log-level", "warning"]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", "{port}", *options]
    return [*command, "benchmarks.peer.wsgi:application"], dict(environment)


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:
            continue
        found += [int(child) for child in children.split()]
    return found


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS
