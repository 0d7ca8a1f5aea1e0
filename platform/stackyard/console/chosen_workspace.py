"""The workspace a person works in: chosen at the top of the menu, kept in the session, heeded by every list."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from auth import roles
from stackyard.core.models import Workspace

_KEY = "workspace"


def all_workspaces(request: HttpRequest) -> list[Workspace]:
    """Every workspace that the person has a role in, by name, read once a request."""
    found: list[Workspace] | None = getattr(request, "_workspaces", None)
    if found is None:
        found = list(roles.workspaces_of(request.user).order_by("name"))
        request._workspaces = found  # type: ignore[attr-defined]
    return found


def chosen_workspace(request: HttpRequest) -> Workspace | None:
    """The chosen one, or the only one there is. None means all of them, which only owners of the installation look at."""
    found = all_workspaces(request)
    if len(found) == 1:
        return found[0]
    chosen = request.session.get(_KEY)
    otherwise = None if _sees_all(request) or not found else found[0]
    return next((one for one in found if one.pk == chosen), otherwise)


def narrowed_to(request: HttpRequest) -> Workspace | None:
    """What lists are narrowed to: the chosen workspace, where there are several or others cannot be seen."""
    narrows = len(all_workspaces(request)) > 1 or not _sees_all(request)
    return chosen_workspace(request) if narrows else None


def _sees_all(request: HttpRequest) -> bool:
    account: Any = request.user
    return bool(account.is_superuser)


def choose(request: HttpRequest) -> HttpResponse:
    """`POST workspace=<id>` (empty for all), then back to the page it was asked from."""
    if request.method == "POST":
        asked = request.POST.get("workspace", "")
        known = {str(one.pk): one.pk for one in all_workspaces(request)}
        request.session[_KEY] = known.get(asked)
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    return HttpResponseRedirect(back if is_ours else reverse("admin:index"))


# Whose page is being made; set by the gate before anything of the page is.
person: ContextVar[Any] = ContextVar("person", default=None)


def in_sight(found: QuerySet[Any], account: Any, wanted: str) -> QuerySet[Any]:
    """What belongs to workspaces in which the account has at least this role."""
    through = roles.path_to_workspace(found.model)
    if through is None or account is None or account.is_superuser:
        return found
    return found.filter(
        **{f"{through}__in": list(roles.workspaces_of(account, wanted).values_list("pk", flat=True))}
    )


class SightField(forms.ModelChoiceField):
    """A choice among things of the workspaces in which the person of this page may build."""

    def __deepcopy__(self, memo: Any) -> Any:
        made = super().__deepcopy__(memo)
        found: Any = made.queryset
        made.queryset = in_sight(found, person.get(), self.least_role)
        if person.get() is not None and not person.get().is_superuser:
            # What belongs to no workspace is the installation's, and not a member's to make.
            made.required, made.empty_label = True, None
        return made

    least_role = roles.BUILDER


class InWorkspace(admin.ModelAdmin):
    """A list that shows what belongs to the chosen workspace. Pages of single things open whatever is chosen."""

    workspace_lookup = "workspace"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What the person has a role in; the list narrowed to the chosen workspace."""
        found: QuerySet[Any] = super().get_queryset(request)
        if not _sees_all(request):
            sight = [one.pk for one in all_workspaces(request)]
            found = found.filter(**{f"{self.workspace_lookup}__in": sight})
        chosen = narrowed_to(request) if is_list(request) else None
        return found if chosen is None else found.filter(**{self.workspace_lookup: chosen.pk})

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only what is in the person's sight can be chosen."""
        model = db_field.remote_field.model
        kwargs.setdefault("queryset", in_sight(model._default_manager.all(), request.user, roles.BUILDER))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

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
