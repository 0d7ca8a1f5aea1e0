"""A whole installation as a person starts it: `manage.py up` with a home, a port and a database of its own."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.services import free_port

ROOT = Path(__file__).resolve().parents[1]
_START_SECONDS = 120
_LAST_LINE = "Ctrl-C stops it."


@dataclass
class Installation:
    """A running installation. `shown` has what its start printed at the end, by name (`API base`, `Try`, …)."""

    process: subprocess.Popen[str]
    port: int
    home: Path
    database_url: str
    output: str
    seconds: float
    shown: dict[str, str] = field(default_factory=dict)

    def python(self, code: str) -> str:
        """Run code in a process of its own with this installation's settings; what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{code}"],
            cwd=ROOT,
            env={
                **variables(self.home, self.port, self.database_url),
                "DJANGO_SETTINGS_MODULE": "stackyard.settings",
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def database() -> Iterator[str]:
    """The URL of an empty database of the kind that this test session is for ("" for SQLite), dropped at the end."""
    server = os.environ.get("DATABASE_URL", "")
    if not server:
        yield ""
        return
    name = f"installation_{os.getpid()}_{free_port()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield re.sub(r"/[^/]*$", f"/{name}", server)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def variables(home: Path, port: int, database_url: str, more: dict[str, str] | None = None) -> dict[str, str]:
    """The environment of an installation: nothing of this test session's own remains in it."""
    ours = {
        "STACKYARD_HOME": str(home),
        "PORT": str(port),
        "WEB_PROCESSES": "2",
        "DATABASE_URL": database_url,
    }
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("STACKYARD_") and name not in ("REDIS_URL", "PUBLIC_URL", "HOST")
    }
    return {**kept, **ours, **(more or {})}


@contextmanager
def running(home: Path, database_url: str = "", **more: str) -> Iterator[Installation]:
    """Start it, wait until it says that it serves, stop it at the end. AssertionError with its output if it does not."""
    port, began = free_port(), time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=variables(home, port, database_url, more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output = _read_until(process, _LAST_LINE)
        yield Installation(
            process, port, home, database_url, output, time.monotonic() - began, _shown(output)
        )
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def _read_until(process: subprocess.Popen[str], last: str) -> str:
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in iter(process.stdout.readline, ""):
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    output, deadline = "", time.monotonic() + _START_SECONDS
    while last not in output:
        try:
            line = lines.get(timeout=max(0, deadline - time.monotonic()))
        except queue.Empty:
            line = ""
        if not line:
            raise AssertionError(f"it did not start:\n{output}")
        output += line
    return output


def _shown(output: str) -> dict[str, str]:
    found = re.findall(r"^  (Console|Owner|API base|API key|Try) +(.+)$", output, re.M)
    return {name: value.strip() for name, value in found}
