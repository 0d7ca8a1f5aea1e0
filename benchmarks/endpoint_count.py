"""What 10,000 endpoints cost a request that has ten: two installations, asked in turns, inside the process.

Processor time a request, since a difference of a few per cent drowns in the noise of HTTP.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks import servers

FEW, MANY = 10, 10_000
REQUESTS = 200


@dataclass(frozen=True)
class Asked:
    """An installation that makes requests to itself when told to."""

    process: subprocess.Popen[str]

    def microseconds(self) -> float:
        """Processor time a request, over some hundred. RuntimeError when it has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{REQUESTS}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("benchmarks.in_process ended; its lines above say why")
        return float(line)


@contextmanager
def installation(home: str, endpoints: int) -> Iterator[Asked]:
    """An installation with that many endpoints, on SQLite."""
    environment = {"STACKYARD_HOME": home, "DATABASE_URL": "", "STACKYARD_CALLS_PER_SECOND": "1000000"}
    key = servers.run_module(["benchmarks.ours", str(endpoints)], environment)
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.in_process", key],
        cwd=servers.ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Asked(process)
    finally:
        process.kill()
        process.communicate()


def compare(rounds: int) -> dict[str, list[float]]:
    """Microseconds a request with few and with many endpoints, round by round; the first round warms up."""
    found: dict[str, list[float]] = {"few": [], "many": []}
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="stackyard-bench-"))
        few = stack.enter_context(installation(f"{home}/few", FEW))
        many = stack.enter_context(installation(f"{home}/many", MANY))
        for number in range(rounds + 1):
            measured = {"few": few.microseconds(), "many": many.microseconds()}
            if number:
                for name, value in measured.items():
                    found[name].append(value)
    return found
