"""A memory cgroup for one slot, where this process may make one: the kernel then bounds what sampling only watches.

Version 1 and 2 (the kernel's cgroup-v1/memory and cgroup-v2 documents). Most ordinary users can't; then there is none.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_PREFIX = "stackyard-slot"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The file names of a version, and where our groups go."""

    parent: Path
    limit: str
    counts: str


@dataclass(slots=True)
class MemoryGroup:
    """One group. Processes put into it are killed by the kernel when they pass its limit together."""

    path: Path
    files: Hierarchy

    @classmethod
    def make(cls, pid: int, limit_bytes: int) -> MemoryGroup | None:
        """Put a process into a group of its own; None where that can't be done."""
        kind = usable()
        if kind is None:
            return None
        path = kind.parent / f"{_PREFIX}-{os.getpid()}-{os.urandom(4).hex()}"
        group = cls(path, kind)
        try:
            path.mkdir()
            (path / kind.limit).write_text(str(limit_bytes))
            (path / "cgroup.procs").write_text(str(pid))
        except OSError:
            group.remove()
            return None
        return group

    def has_killed(self) -> bool:
        """Whether the kernel killed for memory in it."""
        with suppress(OSError, ValueError):
            counts = dict(line.split() for line in (self.path / self.files.counts).read_text().splitlines())
            return int(counts.get("oom_kill", "0")) > 0
        return False

    def remove(self) -> None:
        """Delete the group once its processes have gone; what stays is swept by a later process."""
        for _ in range(20):
            try:
                self.path.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.005)


@lru_cache(maxsize=1)
def usable() -> Hierarchy | None:
    """The kind of group that can be made here, tried out once."""
    for kind in _kinds():
        _sweep(kind.parent)
        trial = kind.parent / f"{_PREFIX}-{os.getpid()}-trial"
        try:
            trial.mkdir()
        except OSError:
            continue
        try:
            (trial / kind.limit).write_text("1000000000")
            return kind
        except OSError:
            continue
        finally:
            with suppress(OSError):
                trial.rmdir()
    return None


def _kinds() -> list[Hierarchy]:
    """Where groups could be, from /proc/self/cgroup and the mounts (cgroups(7))."""
    try:
        own = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    except OSError:
        return []
    found = []
    for _device, mounted, kind, options, *_rest in mounts:
        for _number, controllers, path in own:
            if kind == "cgroup" and "memory" in options.split(",") and "memory" in controllers.split(","):
                found.append(Hierarchy(_inside(mounted, path), "memory.limit_in_bytes", "memory.oom_control"))
            elif kind == "cgroup2" and not controllers:
                found.append(Hierarchy(_inside(mounted, path), "memory.max", "memory.events"))
    return found


def _inside(mounted: str, path: str) -> Path:
    """A process's own group below a mount; the mount itself where a container shows only a part of the tree."""
    full = Path(mounted) / path.lstrip("/")
    return full if full.is_dir() else Path(mounted)


def _sweep(parent: Path) -> None:
    """Delete what supervisors left that are no more."""
    for path in parent.glob(f"{_PREFIX}-*"):
        pid = path.name.removeprefix(f"{_PREFIX}-").partition("-")[0]
        if not Path(f"/proc/{pid}").exists():
            with suppress(OSError):
                path.rmdir()
