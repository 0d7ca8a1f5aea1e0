"""The workspace a person works in: chosen at the top of the menu, kept in the session, heeded by every list."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from stackyard.core.models import Workspace

_KEY = "workspace"


def all_workspaces(request: HttpRequest) -> list[Workspace]:
    """Every workspace by name, read once a request."""
    found: list[Workspace] | None = getattr(request, "_workspaces", None)
    if found is None:
        found = list(Workspace.objects.order_by("name"))
        request._workspaces = found  # type: ignore[attr-defined]
    return found


def chosen_workspace(request: HttpRequest) -> Workspace | None:
    """The chosen one, or the only one there is; None means all of them."""
    found = all_workspaces(request)
    if len(found) == 1:
        return found[0]
    chosen = request.session.get(_KEY)
    return next((one for one in found if one.pk == chosen), None)


def narrowed_to(request: HttpRequest) -> Workspace | None:
    """What lists are narrowed to: the chosen workspace, where there are several."""
    return chosen_workspace(request) if len(all_workspaces(request)) > 1 else None


def choose(request: HttpRequest) -> HttpResponse:
    """`POST workspace=<id>` (empty for all), then back to the page it was asked from."""
    if request.method == "POST":
        asked = request.POST.get("workspace", "")
        known = {str(one.pk): one.pk for one in all_workspaces(request)}
        request.session[_KEY] = known.get(asked)
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    return HttpResponseRedirect(back if is_ours else reverse("admin:index"))


class InWorkspace(admin.ModelAdmin):
    """A list that shows what belongs to the chosen workspace. Pages of single things open whatever is chosen."""

    workspace_lookup = "workspace"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The list, narrowed."""
        found: QuerySet[Any] = super().get_queryset(request)
        chosen = narrowed_to(request) if is_list(request) else None
        return found if chosen is None else found.filter(**{self.workspace_lookup: chosen.pk})

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Without the filter that the choice has made needless."""
        filters = super().get_list_filter(request)
        return [one for one in filters if one != "workspace"] if chosen_workspace(request) else filters

    def get_list_display(self, request: HttpRequest) -> Any:
        """Without the column that would say the same in every row."""
        columns = super().get_list_display(request)
        return [one for one in columns if one != "workspace"] if chosen_workspace(request) else columns


def is_list(request: HttpRequest) -> bool:
    """Whether the request is for a list page."""
    match = request.resolver_match
    return match is not None and str(match.url_name).endswith("_changelist")
