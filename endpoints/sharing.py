"""Whether a stack's answer can hold one value in many places.

Such an answer is small in memory and can be endless as JSON, so its size is measured before it is written
(`jsonout.measure`). Records fresh from the database are each their own, which spares most endpoints the measuring.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# Steps whose result is made anew for this call, or that have none.
_FRESH = frozenset(
    {
        "query_all_records",
        "get_record",
        "has_record",
        "add_record",
        "edit_record",
        "patch_record",
        "add_or_edit_record",
        "delete_record",
        "precondition",
        "throw",
        "set_status",
        "set_header",
        "debug_log",
    }
)
_PATH = re.compile(r"\s*\$?[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\s*\Z")
_MENTIONS = 20


def may_share(document: Mapping[str, Any]) -> bool:
    """False only where it is certain that no value stands in the answer more than a few times."""
    for line in document.get("lines") or []:
        # An addon may hang one record under many.
        if line.get("step") not in _FRESH or line.get("params", {}).get("addons"):
            return True
    mentions = list(_expressions(document.get("response")))
    return len(mentions) > _MENTIONS or not all(_PATH.match(text) for text in mentions)


def _expressions(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if value.keys() == {"$expr"}:
            yield str(value["$expr"])
            return
        if value.keys() == {"$literal"}:
            # Data as it is written: made anew, and as large as it looks.
            return
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _expressions(part)
