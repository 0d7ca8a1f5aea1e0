"""What the home page shows: the first steps until they are done, then the day's traffic and what needs a look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from endpoints.models import Endpoint, HistoryEntry
from stackyard.core.models import Workspace
from stackyard.runs import states
from stackyard.runs.models import Run
from stackyard.stacks.models import Revision
from stackyard.tables.models import Table

from .activity import Day, last_day
from .chosen_workspace import narrowed_to
from .owners import OWNERS, LambdaOwner, StackOwner

SHOWN = 6
"""How many of each list the home page shows."""


_OWNERS: dict[str, type[StackOwner]] = {**OWNERS, LambdaOwner.kind: LambdaOwner}
_FAILED = [state for state in states.FINISHED if state not in {states.SUCCEEDED, states.CANCELLED}]


@dataclass(frozen=True, slots=True)
class FirstStep:
    """One card: what to do, why, where, and whether it is done already."""

    title: str
    text: str
    action: str
    url: str
    is_done: bool


def overview(request: HttpRequest) -> dict[str, Any]:
    """The template context of the home page. One small query per question, none that counts."""
    workspace = narrowed_to(request)
    steps = first_steps(workspace)
    are_done = all(step.is_done for step in steps)
    day = last_day(workspace.pk if workspace else None)
    return {
        "first_steps": steps,
        "steps_are_done": are_done,
        "next_step": next((step for step in steps if not step.is_done), None),
        "day": day,
        "slowest": _slowest(day, workspace),
        "endpoints": _of(
            Endpoint.objects.select_related("group", "published"), "group__workspace", workspace
        ).order_by("-updated_at")[:SHOWN],
        "failing_runs": _of(Run.objects, "workspace", workspace)
        .filter(state__in=_FAILED)
        .defer("input", "sealed_input", "result", "error", "logs")
        .order_by("-created_at")[:SHOWN],
        "requests": _of(HistoryEntry.objects, "workspace_id", workspace).defer(
            "request_body", "response_body", "request_headers"
        )[:SHOWN],
        "edits": _edits(workspace),
    }


def _of(found: Any, lookup: str, workspace: Workspace | None) -> Any:
    return found.all() if workspace is None else found.filter(**{lookup: workspace.pk})


def first_steps(workspace: Workspace | None = None) -> Sequence[FirstStep]:
    """From an empty workspace to an answered call."""
    steps = [
        FirstStep(
            _("Make a table"),
            _("Give it fields such as name and email, then add a few records."),
            _("New table"),
            reverse("admin:tables_table_add"),
            _of(Table.objects.filter(hidden_at=None), "workspace", workspace).exists(),
        ),
        FirstStep(
            _("Make an endpoint"),
            _("Choose a method and a path, start from a template, try it, publish it."),
            _("New endpoint"),
            reverse("admin:endpoints_endpoint_add"),
            _of(Endpoint.objects.exclude(published=None), "group__workspace", workspace).exists(),
        ),
        FirstStep(
            _("Call it"),
            _("Its page shows the curl line. Each call appears in the request history."),
            _("Request history"),
            reverse("admin:endpoints_historyentry_changelist"),
            _of(HistoryEntry.objects, "workspace_id", workspace).exists(),
        ),
    ]
    if not Workspace.objects.exists():
        steps.insert(
            0,
            FirstStep(
                _("Make a workspace"),
                _("It holds tables, endpoints and variables that belong together."),
                _("New workspace"),
                reverse("admin:core_workspace_add"),
                False,
            ),
        )
    return steps


def _slowest(day: Day, workspace: Workspace | None) -> list[dict[str, Any]]:
    """The slowest endpoints of the day that are still there, with their p95 and the length of a bar (2 to 100)."""
    there = _of(Endpoint.objects, "group__workspace", workspace).in_bulk(list(day.by_endpoint))
    ranked = day.slowest(there, SHOWN)
    most = max((activity.p95_ms or 0.0 for _pk, activity in ranked), default=1.0) or 1.0
    return [
        {
            "endpoint": there[pk],
            "activity": activity,
            "length": max(2, round(100 * (activity.p95_ms or 0.0) / most)),
        }
        for pk, activity in ranked
    ]


def _edits(workspace: Workspace | None) -> list[dict[str, Any]]:
    """The latest published versions of what is still there: `{"revision", "owner", "url", "icon"}`."""
    revisions = _of(Revision.objects, "workspace", workspace).defer("document")
    latest = list(revisions.select_related("author").order_by("-created_at")[: SHOWN * 2])
    there = {
        kind: owner.model.objects.in_bulk([one.owner_id for one in latest if one.owner_kind == kind])
        for kind, owner in _OWNERS.items()
    }
    found = []
    for revision in latest:
        row = there.get(revision.owner_kind, {}).get(revision.owner_id)
        if row is not None:
            owner = _OWNERS[revision.owner_kind](row)
            found.append({"revision": revision, "name": str(row), "url": owner.address("change")})
    return found[:SHOWN]
