"""Finding calls in a history of any size, newest first, within a bounded time.

Entries are read backwards by id in windows, by an index that holds every column a filter asks about. Whoever asks for
what is rare gets what was found within `SECONDS` and the cursor to go on from; a page may then be short or empty.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max, Min, QuerySet

from .models import HistoryEntry

SECONDS = 0.15
_WINDOW = 100_000
COUNTED_SECONDS = 0.1
_COUNTED_WINDOW = 25_000
_SLACK_MS = 120_000
"""Processes write in batches, so that ids follow the times of calls only nearly."""
BODIES = ("request_headers", "request_body", "response_body", "trace")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. `conditions` are lookups of columns; `since` and `until` epoch milliseconds; `text` is in the path."""

    workspace_id: int
    conditions: Mapping[str, Any] = field(default_factory=dict)
    since: int | None = None
    until: int | None = None
    text: str = ""


def search(wanted: Wanted, count: int, before: int | None = None) -> tuple[list[HistoryEntry], int | None]:
    """Up to `count` entries without their bodies, and the id to go on before; None at the end."""
    started = time.monotonic()
    low, high = bounds(wanted.since, wanted.until)
    high = high if before is None else min(high, before)
    found: list[HistoryEntry] = []
    entries = _matching(wanted).defer(*BODIES)
    while high > low:
        edge = max(high - _WINDOW, low)
        wants = count + 1 - len(found)
        found += entries.filter(pk__lt=high, pk__gte=edge).order_by("-pk")[:wants]
        if len(found) > count:
            return found[:count], found[count - 1].pk
        high = edge
        if time.monotonic() - started > SECONDS:
            break
    return found, high if high > low else None


@dataclass(slots=True)
class Looked:
    """What of `entries` is among the calls that were looked through, newest first: `len()` and slices.

    `ended_before` is the id to go on before; None when all of the history was looked through, or as much as was asked for.
    """

    entries: QuerySet[HistoryEntry]
    windows: list[tuple[int, int, int]] = field(default_factory=list)
    ended_before: int | None = None

    def __len__(self) -> int:
        """How many were found."""
        return sum(count for _, _, count in self.windows)

    def __getitem__(self, wanted: slice) -> list[HistoryEntry]:
        """Those from `wanted.start` to before `wanted.stop`; windows that end before them are not read."""
        first, last = wanted.start or 0, len(self) if wanted.stop is None else wanted.stop
        found: list[int] = []
        passed = 0
        for low, high, count in self.windows:
            start, stop = max(first - passed, 0), min(last - passed, count)
            if start < stop:
                inside = self.entries.filter(pk__gte=low, pk__lt=high).order_by("-pk")
                found += inside.values_list("pk", flat=True)[start:stop]
            passed += count
        return list(self.entries.filter(pk__in=found).order_by("-pk"))


def look_through(entries: QuerySet[HistoryEntry], low: int, high: int, most: int) -> Looked:
    """Count back from the newest through the ids from `low` to before `high`: up to `most`, for about `COUNTED_SECONDS`."""
    started = time.monotonic()
    looked = Looked(entries)
    while high > low and len(looked) < most:
        if looked.windows and time.monotonic() - started > COUNTED_SECONDS:
            looked.ended_before = high
            break
        edge = max(high - _COUNTED_WINDOW, low)
        inside = entries.filter(pk__gte=edge, pk__lt=high).order_by("-pk").values("pk")
        looked.windows.append((edge, high, inside[: most - len(looked)].count()))
        high = edge
    return looked


def _matching(wanted: Wanted) -> QuerySet[HistoryEntry]:
    entries = HistoryEntry.objects.filter(workspace_id=wanted.workspace_id, **wanted.conditions)
    if wanted.since is not None:
        entries = entries.filter(created_at__gte=wanted.since)
    if wanted.until is not None:
        entries = entries.filter(created_at__lt=wanted.until)
    return entries.filter(path__icontains=wanted.text) if wanted.text else entries


def bounds(since: int | None = None, until: int | None = None) -> tuple[int, int]:
    """The ids between which calls of a time are, in epoch milliseconds: from the first, to before the second."""
    ends = HistoryEntry.objects.aggregate(first=Min("pk"), last=Max("pk"))
    low, high = ends["first"] or 0, (ends["last"] or -1) + 1
    if since is not None:
        first = _edge("created_at", created_at__gte=since - _SLACK_MS)
        low = high if first is None else max(low, first - _WINDOW // 100)
    if until is not None:
        last = _edge("-created_at", created_at__lt=until + _SLACK_MS)
        high = low if last is None else min(high, last + _WINDOW // 100)
    return low, high


def _edge(order: str, **lookup: int) -> int | None:
    return HistoryEntry.objects.filter(**lookup).order_by(order).values_list("pk", flat=True).first()
