"""The console's scripts: bundled by esbuild, run by Deno, when their sources have changed since the last time.

The packages come from the npm registry once, pinned by `deno.lock`; after that nothing leaves the machine. Without a
bundle every page of the console still works as a plain form.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from deno import find_deno_bin
from django.conf import settings

FOLDER = settings.ROOT / "platform" / "stackyard" / "console" / "frontend"
BUNDLE = settings.ROOT / "platform" / "stackyard" / "console" / "static" / "console" / "build"
COMMAND = ".venv/bin/python manage.py build_console"
_SECONDS = 300


class NotBuilt(Exception):
    """Why there is no fresh bundle, as one sentence."""


def build(force: bool = False, only_cached: bool = False) -> str:
    """Bundle the console's scripts into `BUNDLE` unless nothing has changed; says which.

    `only_cached` takes packages from this machine alone. NotBuilt when the packages are not there or the build fails;
    the bundle of before stays in place.
    """
    wanted = fingerprint()
    if not force and built_from() == wanted:
        return "scripts unchanged"
    # Two commands started together build once.
    with open(FOLDER / "deno.json") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not force and built_from() == wanted:
            return "scripts unchanged"
        if not only_cached:
            run("install", "--frozen", "--quiet")
        fresh = BUNDLE.with_name(f"build-{os.getpid()}")
        try:
            _bundle(fresh, wanted)
            _put_in_place(fresh)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return "scripts built"


def check_types() -> None:
    """Let TypeScript check every source, tests too, with what is on this machine. NotBuilt with what it found."""
    run("check", "--frozen", *[str(path.relative_to(FOLDER)) for path in scripts()])


def built_from() -> str:
    """The fingerprint of the sources that the bundle was made from; empty without a bundle."""
    try:
        return str(json.loads((BUNDLE / "manifest.json").read_text())["fingerprint"])
    except (OSError, ValueError, KeyError):
        return ""


def fingerprint() -> str:
    """A digest of all that decides what the bundle holds."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(f"{path.relative_to(FOLDER)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def sources() -> list[Path]:
    """Every file the bundle is made from, tests left out."""
    files = [path for path in FOLDER.rglob("*") if path.is_file() and "node_modules" not in path.parts]
    return sorted(path for path in files if not path.stem.endswith("_test"))


def scripts() -> list[Path]:
    """Every TypeScript file, tests included."""
    found = [*FOLDER.rglob("*.ts"), *FOLDER.rglob("*.tsx")]
    return sorted(path for path in found if "node_modules" not in path.parts)


def run(*arguments: str) -> str:
    """Run Deno in the sources' folder and return what it printed. NotBuilt, with its last words, when it fails."""
    try:
        done = subprocess.run(
            [find_deno_bin(), *arguments],
            cwd=FOLDER,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotBuilt(f"Deno could not be run: {error}.") from None
    if done.returncode:
        raise NotBuilt(_reason(done.stdout + done.stderr))
    return done.stdout + done.stderr


def _bundle(folder: Path, wanted: str) -> None:
    rights = ["--allow-read", f"--allow-write={folder}", "--allow-run", "--allow-env"]
    run("run", "--frozen", "--cached-only", "--no-prompt", *rights, "build.ts", str(folder), wanted)


def _put_in_place(fresh: Path) -> None:
    """The new files beside the old ones first, the manifest last: a page is never answered with half a bundle."""
    BUNDLE.mkdir(parents=True, exist_ok=True)
    names = {path.name for path in fresh.iterdir()}
    for path in sorted(fresh.iterdir(), key=lambda one: one.name == "manifest.json"):
        os.replace(path, BUNDLE / path.name)
    for path in BUNDLE.iterdir():
        if path.name not in names:
            path.unlink()


def _environment() -> dict[str, str]:
    quiet = {"NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}
    return {**settings.BUILD_ENVIRONMENT, **settings.PACKAGE_ENVIRONMENT, **quiet}


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if any(
        word in output
        for word in ("error sending request", "not found in cache", "npm registry", "cached-only")
    ):
        return "The npm registry could not be reached, and the packages are not on this machine yet."
    telling = [line for line in lines if "rror" in line] or lines[-1:] or ["Deno said nothing."]
    return f"The build failed: {telling[0][:300]}"
