"""What the home page shows: the first steps with what is done of them, and what there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from endpoints.models import ApiGroup, Endpoint, HistoryEntry
from stackyard.core.models import Workspace
from stackyard.tables.models import Table

SHOWN = 8
"""How many tables, endpoints and requests the home page lists."""


@dataclass(frozen=True, slots=True)
class FirstStep:
    """One card: what to do, why, where, and whether it is done already."""

    title: str
    text: str
    action: str
    url: str
    is_done: bool


def overview() -> dict[str, Any]:
    """The template context of the home page. One small query per question, none that counts."""
    steps = first_steps()
    return {
        "first_steps": steps,
        "steps_are_done": all(step.is_done for step in steps),
        "next_step": next((step for step in steps if not step.is_done), None),
        "tables": Table.objects.filter(hidden_at=None).select_related("workspace")[:SHOWN],
        "endpoints": Endpoint.objects.select_related("group", "published").order_by("-updated_at")[:SHOWN],
        "requests": HistoryEntry.objects.defer("request_body", "response_body", "request_headers")[:SHOWN],
    }


def first_steps() -> Sequence[FirstStep]:
    """From an empty installation to an answered call."""
    return [
        FirstStep(
            "Make a workspace",
            "It holds tables, endpoints and variables that belong together.",
            "New workspace",
            reverse("admin:core_workspace_add"),
            Workspace.objects.exists(),
        ),
        FirstStep(
            "Make a table",
            "Give it fields such as name and email, then add a few records.",
            "New table",
            reverse("admin:tables_table_add"),
            Table.objects.filter(hidden_at=None).exists(),
        ),
        FirstStep(
            "Make an API group",
            "Endpoints of one group share an address, documentation and CORS rules.",
            "New API group",
            reverse("admin:endpoints_apigroup_add"),
            ApiGroup.objects.exists(),
        ),
        FirstStep(
            "Make an endpoint and publish it",
            "Choose a method and a path, start from a template, try it, publish.",
            "New endpoint",
            reverse("admin:endpoints_endpoint_add"),
            Endpoint.objects.exclude(published=None).exists(),
        ),
        FirstStep(
            "Call it",
            "Its page shows the curl line. Each call appears in the request history.",
            "Request history",
            reverse("admin:endpoints_historyentry_changelist"),
            HistoryEntry.objects.exists(),
        ),
    ]
