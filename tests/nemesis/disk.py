"""A disk that can be full: a small file system of its own where root may mount one, else a limit on the processes' files."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_MB = 1_000_000
_MEGABYTES = 48


class Disk:
    """Where a world's home is. `is_own` says whether it is a file system of its own."""

    def __init__(self, home: Path, is_own: bool) -> None:
        self._home, self._is_own = home, is_own

    def be_full(self, seconds: float, pids: Callable[[], list[int]]) -> None:
        """Nothing more fits for a while; then there is room again."""
        if self._is_own:
            self._fill(seconds)
        else:
            self._bound(seconds, pids)

    def _fill(self, seconds: float) -> None:
        ballast = self._home / "ballast"
        deadline = time.monotonic() + seconds
        try:
            # What others give back meanwhile is taken too.
            with ballast.open("wb", buffering=0) as file:
                while time.monotonic() < deadline:
                    try:
                        file.write(b"x" * 65_536)
                    except OSError:
                        time.sleep(0.02)
        finally:
            ballast.unlink(missing_ok=True)

    def _bound(self, seconds: float, pids: Callable[[], list[int]]) -> None:
        """No file may grow past what the database has already: as good as full, and needs no rights."""
        size = max((path.stat().st_size for path in self._home.glob("*.sqlite3*")), default=_MB)
        bounded = pids()
        for pid in bounded:
            with suppress(ProcessLookupError, PermissionError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size // 2, resource.RLIM_INFINITY))
        time.sleep(seconds)
        for pid in bounded:
            with suppress(ProcessLookupError, PermissionError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)


@contextmanager
def disk(home: Path) -> Iterator[Disk]:
    """The disk below a home, which is empty yet."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={_MEGABYTES}m,mode=700", "tmpfs", str(home)]
    is_own = False
    with suppress(OSError):
        is_own = os.getuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield Disk(home, is_own)
    finally:
        if is_own:
            subprocess.run(["umount", "--lazy", str(home)], capture_output=True)
