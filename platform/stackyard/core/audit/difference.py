"""What differs between two states, as two flat maps from place to value: `{"draft.lines.2.args.value": 1}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..jsonout import encode

Flat = dict[str, Any]
MOST_BYTES = 32_000
"""Of one value; what is longer is cut, since an entry is for reading and a revision holds the whole."""
MOST_PLACES = 200


def difference(old: Any, new: Any, place: str = "") -> tuple[Flat, Flat]:
    """Where and how two JSON values differ; a place that only one of them has is missing in the other map.

    Of lists the equal beginnings and ends are left out first, so that one line put in is one place.
    """
    before: Flat = {}
    after: Flat = {}
    _compare(old, new, place, before, after)
    return before, after


def bounded(flat: Flat) -> Flat:
    """The map with long values cut, and the first `MOST_PLACES` of its places."""
    kept = {place: _cut(value) for place, value in list(flat.items())[:MOST_PLACES]}
    if len(flat) > MOST_PLACES:
        kept["…"] = len(flat) - MOST_PLACES
    return kept


def _compare(old: Any, new: Any, place: str, before: Flat, after: Flat) -> None:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            below = f"{place}.{key}" if place else str(key)
            if key not in new:
                before[below] = old[key]
            elif key not in old:
                after[below] = new[key]
            else:
                _compare(old[key], new[key], below, before, after)
    elif isinstance(old, list) and isinstance(new, list):
        _compare_lists(old, new, place, before, after)
    elif old != new or type(old) is not type(new):
        before[place], after[place] = old, new


def _compare_lists(old: list[Any], new: list[Any], place: str, before: Flat, after: Flat) -> None:
    shorter = min(len(old), len(new))
    start = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    left = shorter - start
    end = next((at for at in range(left) if old[-1 - at] != new[-1 - at]), left)
    gone, come = old[start : len(old) - end], new[start : len(new) - end]
    for at in range(max(len(gone), len(come))):
        below = f"{place}.{start + at}"
        if at >= len(come):
            before[below] = gone[at]
        elif at >= len(gone):
            after[below] = come[at]
        else:
            _compare(gone[at], come[at], below, before, after)


def _cut(value: Any) -> Any:
    text = encode(value)
    if len(text) <= MOST_BYTES:
        return value
    begin = value if isinstance(value, str) else text.decode()
    return f"{begin[: MOST_BYTES // 4]}… ({len(text):,} bytes)"
