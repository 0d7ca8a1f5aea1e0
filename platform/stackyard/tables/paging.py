"""The envelope of a page (contract §4)."""

from __future__ import annotations

from typing import Any

CAP = 10_000
"""How far a capped total counts."""


def envelope(
    items: list[Any], page: int, per_page: int, offset: int, has_more: bool, total: tuple[int, bool] | None
) -> dict[str, Any]:
    """A page by number. `total` is (how many, whether counting stopped there), or None when nobody asked."""
    made: dict[str, Any] = {
        "itemsReceived": len(items),
        "curPage": page,
        "nextPage": page + 1 if has_more else None,
        "prevPage": page - 1 if page > 1 else None,
        "offset": offset,
        "perPage": per_page,
    }
    if total is not None:
        count, capped = total
        made["itemsTotal"] = count
        made["pageTotal"] = -(-max(count - offset, 0) // per_page)
        if capped:
            made["itemsTotalCapped"] = True
    made["items"] = items
    return made


def cursor_envelope(
    items: list[Any], per_page: int, cursor: str | None, total: tuple[int, bool] | None
) -> dict[str, Any]:
    """A page by cursor: it has no number."""
    made = envelope(items, 1, per_page, 0, False, total)
    made |= {"curPage": None, "offset": None}
    made.pop("items")
    return {**made, "nextCursor": cursor, "items": items}
