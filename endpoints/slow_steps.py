"""Which lines of stacks take the time, from the traces that the request history keeps (`trace: true`)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import orjson
from django.db.models import Max

from stackyard.stacks.document import walk_lines
from stackyard.stacks.models import Revision

from .models import HistoryEntry

LOOKED_AT = 20_000
"""How many of the newest calls are looked through for traces."""
READ = 300
"""How many traces are read."""


@dataclass(frozen=True, slots=True)
class SlowStep:
    """A line of an endpoint's stack: times in milliseconds, over `calls` traced calls. `step` is its kind."""

    endpoint_id: int
    line: str
    step: str
    name: str
    calls: int
    mean_ms: float
    slowest_ms: float
    total_ms: float
    entry_id: int


def slow_steps(
    workspace_id: int | None, since: float, endpoint_id: int = 0, count: int = 10
) -> list[SlowStep]:
    """The lines that took most time in all since then (epoch seconds), of the newest traces; at most `count`."""
    newest = HistoryEntry.objects.aggregate(last=Max("pk"))["last"] or 0
    entries = HistoryEntry.objects.filter(
        pk__gt=newest - LOOKED_AT, created_at__gte=int(since * 1000)
    ).exclude(trace="")
    if workspace_id is not None:
        entries = entries.filter(workspace_id=workspace_id)
    if endpoint_id:
        entries = entries.filter(endpoint_id=endpoint_id)
    times: dict[tuple[int, str], list[tuple[float, int]]] = defaultdict(list)
    revisions: dict[int, int] = {}
    for pk, endpoint, revision, trace in entries.order_by("-pk").values_list(
        "pk", "endpoint_id", "revision_id", "trace"
    )[:READ]:
        revisions.setdefault(endpoint, revision or 0)
        for line in orjson.loads(trace):
            # What a called function did is in the time of the line that called it.
            if not line.get("within"):
                times[endpoint, line["line"]].append((line["milliseconds"], pk))
    ranked = sorted(times.items(), key=lambda one: -sum(ms for ms, _ in one[1]))[:count]
    named = _names(set(revisions.values()))
    return [_shown(owner, line, revisions[owner], found, named) for (owner, line), found in ranked]


def _names(revisions: set[int]) -> dict[tuple[int, str], tuple[str, str]]:
    """Step kind and result name of each line, by revision and line id."""
    named = {}
    for pk, document in Revision.objects.filter(pk__in=revisions).values_list("pk", "document"):
        for line, _path, _depth in walk_lines(document.get("lines")):
            named[pk, str(line.get("id"))] = (str(line.get("step", "")), str(line.get("as") or ""))
    return named


def _shown(
    endpoint: int,
    line: str,
    revision: int,
    found: list[tuple[float, int]],
    named: dict[tuple[int, str], tuple[str, str]],
) -> SlowStep:
    step, name = named.get((revision, line), ("", ""))
    total = sum(milliseconds for milliseconds, _ in found)
    slowest, entry_id = max(found)
    return SlowStep(endpoint, line, step, name, len(found), total / len(found), slowest, total, entry_id)
