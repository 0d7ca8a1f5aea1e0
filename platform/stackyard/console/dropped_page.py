"""What was deleted of the tables and is not gone yet: listed, and had back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from stackyard.core.errors import Problem
from stackyard.runs.models import Run
from stackyard.tables.dropping import dropped, restore

from .chosen_workspace import all_workspaces, narrowed_to
from .pages import page
from .problems import sentence


def dropped_page(request: HttpRequest) -> HttpResponse:
    """The list; `POST run=<id>` has one back."""
    chosen = narrowed_to(request)
    workspaces = all_workspaces(request) if chosen is None else [chosen]
    found: list[Run] = [run for workspace in workspaces for run in dropped(workspace)]
    here = reverse("admin:tables_table_dropped")
    if request.method == "POST":
        _restore(request, {str(run.pk): run for run in found}.get(request.POST.get("run", "")))
        return HttpResponseRedirect(here)
    crumbs: list[Any] = [(_("Tables"), reverse("admin:tables_table_changelist"))]
    return page(request, "console/dropped.html", _("Deleted tables and fields"), crumbs, dropped=found)


def _restore(request: HttpRequest, run: Run | None) -> None:
    if run is None:
        messages.error(request, _("It is not there any more."))
        return
    try:
        restore(run)
    except Problem as problem:
        messages.error(request, _("Not done: {problem}").format(problem=sentence(problem)))
    else:
        messages.success(request, _("{name} is back, with its values.").format(name=run.target_name))
