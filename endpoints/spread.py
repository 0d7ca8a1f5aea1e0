"""How long calls took, as counts in fixed buckets: spreads of processes, minutes and endpoints add up exactly.

Buckets grow by the eighth root of two from 64 µs to 67 s (as HdrHistogram and DDSketch do it: logarithmic, so that the
error is relative). A quantile is given as the geometric middle of its bucket: off by at most 2^(1/16) - 1, that is
4.5 %. Faster and slower calls share a bucket each, and are given as its edge.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterable, Mapping

ERROR_BOUND = 2 ** (1 / 16) - 1
"""How far off a quantile may be, as a share of itself, between the edges."""
EDGES_US: tuple[int, ...] = tuple(round(64 * 2 ** (step / 8)) for step in range(161))
"""The upper edge of each bucket (inclusive) in microseconds; one more bucket is for what is slower."""
_PAIR = struct.Struct("<BQ")
_ROOT = 2 ** (1 / 16)

Spread = dict[int, int]
"""Calls by bucket."""


def bucket_of(duration_us: int) -> int:
    """The bucket of a duration."""
    return bisect_left(EDGES_US, duration_us)


def add(into: Spread, other: Mapping[int, int]) -> None:
    """Add a spread to another."""
    for bucket, calls in other.items():
        into[bucket] = into.get(bucket, 0) + calls


def packed(spread: Mapping[int, int]) -> bytes:
    """Nine bytes for each bucket that is not empty."""
    return b"".join(_PAIR.pack(bucket, calls) for bucket, calls in sorted(spread.items()))


def unpacked(stored: bytes | memoryview) -> Spread:
    """What `packed` made."""
    return dict(_PAIR.iter_unpack(stored))


def quantiles_ms(spread: Mapping[int, int], shares: Iterable[float]) -> list[float | None]:
    """The durations in milliseconds that these shares (0 to 1, ascending) of all calls took at most; None without calls."""
    total = sum(spread.values())
    if not total:
        return [None for _ in shares]
    found: list[float | None] = []
    buckets = iter(sorted(spread.items()))
    bucket, seen = next(buckets)
    seen_before = 0
    for share in shares:
        # Nearest rank: the smallest call that at least this share of all calls did not exceed.
        rank = max(1, -(-total * round(share * 1000) // 1000))
        while seen_before + seen < rank:
            seen_before += seen
            bucket, seen = next(buckets)
        found.append(_middle_us(bucket) / 1000)
    return found


def _middle_us(bucket: int) -> float:
    if bucket == 0:
        return EDGES_US[0]
    if bucket >= len(EDGES_US):
        return EDGES_US[-1]
    return EDGES_US[bucket] / _ROOT


def within(spread: Mapping[int, int], edge: int) -> int:
    """How many calls lie in the buckets up to this one."""
    return sum(calls for bucket, calls in spread.items() if bucket <= edge)
