"""Checks the machine, makes `.venv`, fills it, and then becomes the command that was asked for.

    python3 -I platform/stackyard/start/environment.py [--extra NAME] [--serves] -- ARGUMENTS OF PYTHON

It runs before anything is installed: standard library only, and written so that an older Python
can read it far enough to be told that it is too old.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMP = VENV / "stackyard-installed.json"
OLDEST = (3, 11)


class Unready(Exception):
    """Why this machine cannot run it yet, as one sentence, and what to do about it, as another."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def stage_line(name: str, note: str, seconds: float, width: int = 76) -> str:
    """One finished stage as text; the stages that run later print the same form."""
    left = f"  \u2713 {name:<12} {note}"
    return f"{left:<{width}} {seconds:5.1f} s"


def newer_python() -> str | None:
    """The path of an installed Python that is new enough, when the running one is not."""
    for minor in range(14, OLDEST[1] - 1, -1):
        path = shutil.which(f"python3.{minor}")
        probe = "import sys; sys.exit(sys.version_info < (3, 11))"
        if path and subprocess.run([path, "-c", probe], capture_output=True).returncode == 0:
            return path
    return None


def check_python() -> None:
    """Go on in a newer Python when this one is too old; Unready when there is none."""
    if sys.version_info >= OLDEST:
        return
    newer = newer_python()
    if newer:
        os.execv(newer, [newer, "-I", *sys.argv])
    raise Unready(
        f"Python {sys.version.split()[0]} is too old: Stackyard needs {OLDEST[0]}.{OLDEST[1]} or newer.",
        "Install a newer one and name it: make up PYTHON=python3.12",
    )


def check_venv_module() -> None:
    """Unready when Python came without the parts that make a virtual environment (Debian splits them off)."""
    if all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        return
    raise Unready(
        "This Python has no venv module, which the set-up needs.",
        "On Debian and Ubuntu: apt-get install python3-venv",
    )


def check_home() -> None:
    """Unready when the home cannot be written."""
    home = Path(os.environ.get("STACKYARD_HOME", ROOT / "var"))
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Unready(
            f"The home {home} cannot be written: {error.strerror}.",
            "Give it to this user, or name another: STACKYARD_HOME=~/stackyard make up",
        ) from None


def check_port() -> None:
    """Unready when another program listens where the web server will."""
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise Unready(f"PORT is {port!r}, which is no port number.", "Use a number from 1 to 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise Unready(
            f"Port {port} on {host} cannot be used: {error.strerror}.",
            f"Stop the program that has it, or take another: PORT={int(port) + 1} make up",
        ) from None


def venv_works() -> bool:
    """Whether `.venv` holds a Python that starts and is new enough (a copied or upgraded machine leaves dead ones)."""
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([str(VENV_PYTHON), "-I", "-c", probe], capture_output=True).returncode == 0
    except OSError:
        return False


def make_venv() -> str:
    """Make `.venv` unless it is there and works; says which."""
    if venv_works():
        return "reused .venv"
    check_venv_module()
    run([sys.executable, "-m", "venv", "--clear", str(VENV)], "The virtual environment could not be made")
    return f"made .venv with Python {sys.version_info[0]}.{sys.version_info[1]}"


def wanted_fingerprint() -> str:
    """A digest of all that decides what gets installed."""
    digest = hashlib.sha256()
    for name in ("requirements.txt", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def installed() -> dict[str, Any]:
    """What the stamp says was installed: `{"fingerprint", "extras"}`, both empty without a stamp."""
    try:
        stamp: dict[str, Any] = json.loads(STAMP.read_text())
        return stamp
    except (OSError, ValueError):
        return {"fingerprint": "", "extras": []}


def install(extras: list[str]) -> str:
    """Install the requirements unless the stamp says that they are there; says which."""
    before, fingerprint = installed(), wanted_fingerprint()
    extras = sorted({*before["extras"], *extras})
    if before["fingerprint"] == fingerprint and before["extras"] == extras:
        return "requirements unchanged"
    targets = ["-r", "requirements.txt"] + (["-e", f".[{','.join(extras)}]"] if extras else [])
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--quiet", "--no-input"]
    run(
        [*command, "--disable-pip-version-check", *targets],
        "pip could not install the requirements",
        "Look at the lines above; most often the package index cannot be reached (proxy? PIP_INDEX_URL?).",
    )
    STAMP.write_text(json.dumps({"fingerprint": fingerprint, "extras": extras}))
    return "installed requirements" + (f" and {', '.join(extras)}" if extras else "")


def run(command: list[str], failure: str, remedy: str = "Look at the lines above.") -> None:
    """Run quietly; on failure show what it printed last and raise Unready."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        print("\n".join(done.stdout.splitlines()[-25:]), file=sys.stderr)
        raise Unready(f"{failure} (exit {done.returncode}).", remedy)


def prepare(extras: list[str], serves: bool) -> None:
    """Check, make and fill the environment, one caller at a time, and print the stage."""
    began = time.monotonic()
    check_home()
    if serves:
        check_port()
    # Two commands started together must not install into one environment at once.
    with open(ROOT / "requirements.txt") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not venv_works() or installed()["fingerprint"] != wanted_fingerprint():
            print("  … environment  making .venv and installing, about a minute", flush=True)
        notes = [make_venv(), install(extras)]
    print(stage_line("environment", ", ".join(notes), time.monotonic() - began), flush=True)


def main() -> None:
    """Read the command line, prepare, and become the command. Exit 2 when the machine is not ready."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--extra", action="append", default=[], help="an extra of pyproject.toml to install")
    parser.add_argument("--serves", action="store_true", help="the command will listen on HOST and PORT")
    parser.add_argument("command", nargs="+", help="arguments of the environment's Python, behind --")
    options = parser.parse_args()
    try:
        check_python()
        prepare(options.extra, options.serves)
    except Unready as unready:
        print(f"  \u2717 {unready.reason}\n    {unready.remedy}", file=sys.stderr)
        sys.exit(2)
    os.chdir(ROOT)
    os.execv(str(VENV_PYTHON), [str(VENV_PYTHON), *options.command])


if __name__ == "__main__":
    main()
