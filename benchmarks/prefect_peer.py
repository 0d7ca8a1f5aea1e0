"""Prefect beside our durable runs: 40 trivial tasks of one flow, and 40 trivial flows, after one another in one process.

Prefect (Apache-2.0) is no dependency of ours. It is installed when this is first run, into an environment of its own
below `var/benchmarks/`, and talks to the temporary server that it starts itself. What is compared is not the same promise:
a task of Prefect's runs in the process of its flow and is gone with it; ours is a row before anything runs, and each
runs in a worker.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = 40
ROUNDS = 3
# Its server does not start with a newer FastAPI.
PACKAGES = ("prefect>=3,<4", "fastapi<0.120")
_INSTALL_SECONDS = 900
_LONGEST_SECONDS = 600
_PROGRAM = f"""
import json, time
from prefect import flow, task

@task
def answer():
    return 42

@flow
def one():
    return 42

@flow
def tasks():
    began = time.monotonic()
    for _ in range({RUNS}):
        assert answer() == 42
    return time.monotonic() - began

def flows(count):
    began = time.monotonic()
    for _ in range(count):
        assert one() == 42
    return (time.monotonic() - began) * {RUNS} / count

one()
tasks()
print(json.dumps({{"tasks": [tasks() for _ in range({ROUNDS})], "flows": [flows(10) for _ in range({ROUNDS})]}}))
"""


class NoPeer(Exception):
    """Prefect cannot be had or run here; the text says why."""


def seconds(folder: Path) -> dict[str, list[float]]:
    """Seconds for 40 `tasks` and 40 `flows`, by rounds; of flows ten are run, for each takes a second. `folder` keeps
    the environment. NoPeer with the reason when there is none."""
    python = _install(folder / "prefect")
    with tempfile.TemporaryDirectory(prefix="stackyard-bench-") as home:
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": home,
            "PREFECT_HOME": f"{home}/.prefect",
            "PREFECT_LOGGING_LEVEL": "ERROR",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }
        told = _run([str(python), "-c", _PROGRAM], _LONGEST_SECONDS, cwd=home, env=environment)
    return dict(json.loads(told.splitlines()[-1]))


def _install(folder: Path) -> Path:
    """The Python of an environment with Prefect, made at first use."""
    python = folder / "bin" / "python"
    mark = folder / "packages"
    wanted = " ".join(PACKAGES)
    if not (mark.exists() and mark.read_text() == wanted):
        print("Installing Prefect into an environment of its own: a minute", flush=True)
        _run([sys.executable, "-m", "venv", "--clear", str(folder)], _INSTALL_SECONDS)
        _run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], _INSTALL_SECONDS)
        mark.write_text(wanted)
    return python


def _run(
    command: list[str], seconds: float, cwd: str | None = None, env: dict[str, str] | None = None
) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, cwd=cwd, env=env)
    except subprocess.TimeoutExpired as error:
        raise NoPeer(f"{Path(command[0]).name} took longer than {seconds:g} s") from error
    if done.returncode:
        raise NoPeer(" ".join(done.stderr.strip().splitlines()[-2:])[-300:] or f"exit {done.returncode}")
    return done.stdout
