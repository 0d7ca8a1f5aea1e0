"""Settings: the chosen workspace with its variables and secrets, and the other workspaces."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from stackyard.core import workspaces
from stackyard.core.errors import Problem
from stackyard.core.models import Variable, Workspace
from stackyard.core.secrets import MASK
from stackyard.tables.drift import find_drift

from .chosen_workspace import all_workspaces, chosen_workspace
from .pages import page
from .problems import add_to_form
from .workspaces import WorkspaceForm

_NAMES = ("name", "description", "timezone")


def settings_page(request: HttpRequest) -> HttpResponse:
    """The chosen workspace's name, description, zone, variables; with none chosen, the list of workspaces."""
    workspace = chosen_workspace(request)
    if workspace is None:
        return page(
            request,
            "console/settings.html",
            _("Settings"),
            [],
            others=all_workspaces(request),
            drift=find_drift(),
        )
    form = WorkspaceForm(request.POST or None, instance=Workspace.objects.get(pk=workspace.pk))
    if request.method == "POST" and form.is_valid():
        try:
            workspaces.edit_workspace(workspace, **{name: form.cleaned_data[name] for name in _NAMES})
            messages.success(request, _("The workspace is saved."))
            return HttpResponseRedirect(reverse("admin:settings"))
        except Problem as problem:
            add_to_form(form, problem)
    return page(
        request,
        "console/settings.html",
        _("Settings"),
        [],
        form=form,
        variables=[_shown(one) for one in Variable.objects.filter(workspace=workspace).order_by("name")],
        others=all_workspaces(request),
        drift=find_drift(),
    )


def _shown(variable: Variable) -> dict[str, Any]:
    """A row; a secret's value is never read."""
    value = MASK if variable.is_secret else str(variable.value)
    return {
        "name": variable.name,
        "value": value if len(value) <= 60 else f"{value[:60]}…",
        "is_secret": variable.is_secret,
        "description": variable.description,
        "url": reverse("admin:core_variable_change", args=[variable.pk]),
    }
