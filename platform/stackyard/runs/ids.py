"""Ids of runs: UUID version 7 (RFC 9562 §5.7), 48 bits of milliseconds and then chance, so that they sort by time."""

from __future__ import annotations

import secrets
import time
import uuid


def new_run_id() -> uuid.UUID:
    """A fresh UUIDv7."""
    value = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
