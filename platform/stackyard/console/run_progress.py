"""What goes on in the background, on the page of what it is about: bar, count, time left, Cancel; there again after a reload.

`{% run_progress run %}` (templatetags/progress.py) shows one run; `under_way` finds those of a page. The island
`progress` keeps the places up to date; without it the page says how far it was, and has a link to look again.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from stackyard.core.errors import Problem
from stackyard.runs import dispatch, states
from stackyard.runs.models import Run
from stackyard.runs.progress import progress_value
from stackyard.runs.run_kind import RunKind

from .json_pages import json_page
from .templatetags.console_numbers import state_name

SHOWN = 5
TABLE_JOBS = ("import", "conversion", "drop", "index")
"""What a table's pages show of its background work."""
_LARGE = ("input", "sealed_input", "result", "logs")


def under_way(kinds: Sequence[str], target_id: int) -> list[Run]:
    """The runs of these kinds for one target that have not ended, oldest first, at most `SHOWN`."""
    going = Run.objects.filter(
        kind__in=kinds, target_id=target_id, state__in=(states.ACCEPTED, states.RUNNING)
    )
    return list(going.defer(*_LARGE).order_by("id")[:SHOWN])


def progress_facts(run: Run) -> dict[str, Any]:
    """What a place shows of a run: what it is, its state, `progress` as the API has it, why it failed."""
    error = run.error if isinstance(run.error, dict) else {}
    return {
        "id": str(run.pk),
        "label": _(RunKind.get(run.kind).label),
        "target": run.target_name,
        "state": run.state,
        "state_name": state_name(run.state),
        "is_finished": run.is_finished,
        "is_being_cancelled": run.cancel_requested_at is not None,
        "progress": progress_value(run),
        "error": str(error.get("message") or ""),
        "page": reverse("admin:runs_run_change", args=[run.pk]),
        "cancel": reverse("admin:runs_run_cancel", args=[run.pk]),
        "address": reverse("admin:runs_run_progress", args=[run.pk]),
    }


def urls() -> list[URLPattern]:
    """The address a place asks: GET how far it is, POST to cancel."""
    return [path("<uuid:pk>/progress/", json_page(get=_look, post=_cancel), name="runs_run_progress")]


def _look(request: HttpRequest, pk: uuid.UUID) -> dict[str, Any]:
    return progress_facts(_found(pk))


def _cancel(request: HttpRequest, pk: uuid.UUID) -> dict[str, Any]:
    run = _found(pk)
    if not run.is_finished:
        dispatch.cancel(run)
    return progress_facts(_found(pk))


def _found(pk: uuid.UUID) -> Run:
    run = Run.objects.defer(*_LARGE).filter(pk=pk).first()
    if run is None:
        raise Problem("NOT_FOUND", "This run is not there any more.")
    return run
