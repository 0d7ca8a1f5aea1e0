"""The root file system of a sandbox: Deno, the C library it needs, the runner, and nothing else."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from .launcher import RUNNER_SOURCE, CannotLaunch, deno_environment, find_deno

DENO = "/deno"
RUNNER_INSIDE = "/runner.js"
SCRATCH = "/scratch"
SETPRIV = "/setpriv"
_STRIP = """import { stripTypeScriptTypes } from "node:module";
console.log(stripTypeScriptTypes(Deno.readTextFileSync(Deno.args[0])));"""
_LIBRARY = re.compile(r"(?:\S+ => )?(/\S+) \(0x")


@lru_cache
def libraries(program: Path | None = None) -> Mapping[str, Path]:
    """The shared libraries of a program (Deno) and their loader: path as the loader asks for it → the file itself.

    CannotLaunch where ldd(1) does not say (a C library other than glibc).
    """
    asked = str(program or find_deno())
    try:
        told = subprocess.run(["ldd", asked], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotLaunch(f"ldd can't be run: {error}") from error
    found = {path: Path(path).resolve() for path in _LIBRARY.findall(told.stdout)}
    if told.returncode or not found:
        raise CannotLaunch(f"ldd does not name the libraries of {asked}; is this a system with glibc?")
    return found


@lru_cache
def setpriv() -> Path | None:
    """setpriv(1) of util-linux, where there is one: it ties a process to the life of its parent."""
    found = shutil.which("setpriv")
    return Path(found).resolve() if found else None


def environment() -> dict[str, str]:
    """What Deno needs to be told in a root like that. Nothing in it is a secret; code can't read it anyway."""
    folders = sorted({os.path.dirname(path) for path in libraries()})
    return {**deno_environment("/none"), "LD_LIBRARY_PATH": ":".join(folders)}


@lru_cache
def tag() -> str:
    """Names a root by what is in it: `2.9.8-0123456789ab`. CannotLaunch without Deno."""
    told = subprocess.run([str(find_deno()), "--version"], capture_output=True, text=True, timeout=20)
    version = told.stdout.split()[1] if told.returncode == 0 else "unknown"
    content = RUNNER_SOURCE.read_bytes()
    return f"{version}-{hashlib.sha256(content).hexdigest()[:12]}"


def runner(home: Path) -> Path:
    """The runner as JavaScript below `home`, made when it is not there: Deno would do the same at each start, for
    5 ms. CannotLaunch when it can't be made."""
    made = home / f"runner-{tag()}.js"
    if made.exists():
        return made
    told = subprocess.run(
        [str(find_deno()), "eval", "--no-config", "--no-lock", _STRIP, str(RUNNER_SOURCE)],
        capture_output=True,
        text=True,
        timeout=60,
        env=deno_environment("/dev/null/none"),
    )
    if told.returncode or not told.stdout:
        raise CannotLaunch(f"The runner can't be prepared: {told.stderr.strip()}")
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        making = made.with_name(f"{made.name}.{os.getpid()}-{threading.get_ident()}")
        making.write_text(told.stdout)
        making.rename(made)
    except OSError as error:
        raise CannotLaunch(f"The runner can't be kept in {home}: {error}") from error
    return made


def contents(home: Path) -> Mapping[str, Path]:
    """Every file of the root: path inside → the file here."""
    files = {**libraries(), DENO: find_deno(), RUNNER_INSIDE: runner(home)}
    program = setpriv()
    if program is not None:
        files |= {**libraries(program), SETPRIV: program}
    return files


def root_of(home: Path) -> Path:
    """Where the root is, or would be."""
    return home / "roots" / tag()


def build_root(home: Path) -> Path:
    """Make the root below `home`, about 100 MB; what is there already is kept. OSError when it can't be written.

    Built beside and renamed, so that a root that is there is whole.
    """
    target = root_of(home)
    if target.is_dir():
        return target
    making = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    for inside, file in contents(home).items():
        place = making / inside.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
        place.chmod(0o644 if inside == RUNNER_INSIDE else 0o755)
    for name in ("scratch", "proc", "dev", "sys"):
        (making / name).mkdir()
    for folder in [making, *(path for path in making.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)
    try:
        making.rename(target)
    except OSError:
        # Another process was faster.
        shutil.rmtree(making, ignore_errors=True)
        if not target.is_dir():
            raise
    return target
