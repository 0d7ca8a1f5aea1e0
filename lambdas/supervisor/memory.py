"""How much memory and processor time a slot's process uses, read from outside."""

from __future__ import annotations

import os
from contextlib import suppress

from lambdas.launchers.launcher import Launched

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


class Meter:
    """Reads /proc of one process through descriptors that stay its own even if the id is used again (proc(5))."""

    def __init__(self, launched: Launched) -> None:
        self._statm = self._open(launched.inner, "statm")
        self._stat = self._open(launched.inner, "stat")
        self._io = self._open(launched.inner, "io")

    def memory_bytes(self) -> int:
        """Resident memory that belongs to the process alone, files such as Deno's binary left out; 0 when unknown."""
        fields = self._read(self._statm).split()
        return (int(fields[1]) - int(fields[2])) * _PAGE if len(fields) > 2 else 0

    def cpu_seconds(self) -> float:
        """Processor time of all its threads so far; 0 when unknown."""
        fields = self._read(self._stat).rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS if len(fields) > 12 else 0.0

    def written_bytes(self) -> int:
        """What it has caused to be written to disks so far, what was deleted in time left out; 0 when unknown."""
        told = dict(line.split(b": ") for line in self._read(self._io).splitlines())
        return int(told.get(b"write_bytes", 0)) - int(told.get(b"cancelled_write_bytes", 0))

    def close(self) -> None:
        """Let go of the descriptors."""
        for descriptor in (self._statm, self._stat, self._io):
            if descriptor is not None:
                os.close(descriptor)
        self._statm = self._stat = self._io = None

    @staticmethod
    def _open(pid: int | None, name: str) -> int | None:
        if pid is None:
            return None
        with suppress(OSError):
            return os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        return None

    @staticmethod
    def _read(descriptor: int | None) -> bytes:
        if descriptor is None:
            return b""
        try:
            return os.pread(descriptor, 1024, 0)
        except OSError:
            return b""
