"""What the kernel lets a slot's process use, whoever sets it: the supervisor by prlimit(2), or an engine at the start."""

from __future__ import annotations

import resource
from collections.abc import Mapping

# The scratch directory: all of it where it is memory, one file where it is a directory.
SCRATCH_BYTES = 64_000_000
# Deno maps about 560 MB at its start, most of which it never uses; each Worker as much again.
DATA_BYTES = 800_000_000
# What one run may write to a scratch directory on disk, deleted or not.
WRITTEN_BYTES = 1_000_000_000
OPEN_FILES = 256
THREADS = 128
# A slot is closed after this much processor time at the latest, whatever it did.
CPU_SECONDS = 7_200
# What a container may have beside the JavaScript heap: Deno itself, buffers, and its scratch directory.
BESIDE_HEAP_MB = 192


def process_limits(heap_mb: int) -> Mapping[str, int]:
    """Name of a limit in getrlimit(2) → value, soft and hard."""
    return {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": SCRATCH_BYTES,
        "RLIMIT_NOFILE": OPEN_FILES,
        "RLIMIT_DATA": DATA_BYTES + heap_mb * 1_000_000,
        "RLIMIT_CPU": CPU_SECONDS,
    }


def number(name: str) -> int:
    """The number of a limit on this system."""
    return int(getattr(resource, name))
