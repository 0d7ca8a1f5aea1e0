"""Who reads a field: told before it changes. Tables do not know who uses them; who does connects to `readers_asked`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.dispatch import Signal

# Sent with `workspace_id`, `table` and `field` (names); each receiver gives a list of `Reader`.
readers_asked = Signal()

_WORD = re.compile(r"\w+")
_SAYS_NOTHING = frozenset({"name", "description"})


@dataclass(frozen=True, slots=True)
class Reader:
    """An endpoint, function or lambda that uses the field's table. `names_it`: it holds the field's name too.

    Who uses the table without naming the field may still give out whole records.
    """

    kind: str
    pk: int
    name: str
    names_it: bool


def readers_of(workspace_id: int, table: str, field: str) -> list[Reader]:
    """What uses a field, what names it first. Found by words, so that none is missed; one may be listed needlessly."""
    found: list[Reader] = []
    for _, readers in readers_asked.send(sender=None, workspace_id=workspace_id, table=table, field=field):
        found += cast("list[Reader]", readers)
    return sorted(found, key=lambda reader: (not reader.names_it, reader.kind, reader.name))


def read_by(
    kind: str, pk: int, name: str, documents: Sequence[Mapping[str, Any]], table: str, field: str
) -> list[Reader]:
    """What holds these documents (published, draft) as a reader, when they use the table at all."""
    words = {word for one in documents for part in _texts(one) for word in _WORD.findall(part)}
    return [Reader(kind, pk, name, field in words)] if table in words else []


def _texts(document: Mapping[str, Any]) -> Iterator[str]:
    """All keys and texts below the document's own keys; what it says about itself is left out."""
    waiting = [value for key, value in document.items() if key not in _SAYS_NOTHING]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from (str(key) for key in value)
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value
