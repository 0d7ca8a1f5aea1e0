"""The proof that a launcher runs here: one process that starts and says so."""

from __future__ import annotations

import os
import select
import shutil
from pathlib import Path
from tempfile import mkdtemp

from .launcher import CannotLaunch, Launcher, Order

_SECONDS = 20
_HEAP_MB = 128


def try_out(launcher: Launcher) -> None:
    """Start a process and wait for its first bytes, then end it. CannotLaunch with the reason when none come."""
    launcher.check()
    launcher.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = Path(mkdtemp(prefix="trial-", dir=launcher.home))
    folder.rmdir()
    try:
        launched = launcher.launch(Order(folder, _HEAP_MB))
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise CannotLaunch(str(error)) from error
    popen = launched.popen
    assert popen.stdin is not None
    assert popen.stdout is not None
    assert popen.stderr is not None
    try:
        is_ready = bool(select.select([popen.stdout], [], [], _SECONDS)[0]) and bool(popen.stdout.read(9))
        if is_ready:
            try:
                launcher.settle(launched)
            except OSError as error:
                raise CannotLaunch(f"Its process can't be watched: {error}") from error
    finally:
        launcher.kill(launched)
        popen.wait(10)
        os.set_blocking(popen.stderr.fileno(), False)
        said = (popen.stderr.read(4_000) or b"").decode("utf-8", "replace").strip()
        for stream in (popen.stdin, popen.stdout, popen.stderr):
            stream.close()
        launcher.discard(launched)
    if not is_ready:
        raise CannotLaunch(" ".join(said.splitlines()[-3:]) or "Its process did not start.")
