"""`{% run_progress run %}`: how far a run is, with Cancel."""

from __future__ import annotations

from typing import Any

from django import template

from stackyard.runs.models import Run

from ..run_progress import progress_facts

register = template.Library()


@register.inclusion_tag("console/run_progress.html", takes_context=True)
def run_progress(context: dict[str, Any], run: Run, then: str = "") -> dict[str, Any]:
    """The place of a run. When it has ended, `then="reload"` loads the page again, which by then shows what came of it."""
    request = context["request"]
    return {
        "request": request,
        "fact": progress_facts(run),
        "then": then,
        "here": request.get_full_path(),
        "csrf_token": context.get("csrf_token"),
    }
