"""A new version of an API group in the console: what it will be called and where, then its endpoints."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from endpoints import versions
from endpoints.models import ApiGroup
from stackyard.core.errors import Problem

from .pages import page
from .problems import add_to_form


class VersionForm(forms.Form):
    """Name and mount of the copy, filled in with what comes next."""

    name = forms.CharField(max_length=63)
    mount = forms.CharField(
        max_length=200,
        help_text=gettext_lazy("Its address: v2 makes /api/v2/… Callers of the old one keep theirs."),
    )

    def create(self, group: ApiGroup, author: Any) -> versions.NewVersion | None:
        """The copy; None when the form (which then says why) was refused."""
        if not self.is_valid():
            return None
        try:
            return versions.new_version(group, author, **self.cleaned_data)
        except (Problem, ValidationError) as problem:
            add_to_form(self, problem)
            return None


def version_page(request: HttpRequest, group: ApiGroup) -> HttpResponse:
    """GET proposes the next version, POST makes it and shows its endpoints."""
    form = VersionForm(request.POST or None, initial=versions.propose(group))
    made = form.create(group, request.user) if request.method == "POST" else None
    if made:
        return _said(request, made)
    change = reverse("admin:endpoints_apigroup_change", args=[group.pk])
    crumbs = [(_("Endpoints"), reverse("admin:endpoints_endpoint_changelist")), (str(group), change)]
    about = _("Copies {group} with all its endpoints, live at once. {group} stays as it is.").format(
        group=group
    )
    return page(
        request,
        "console/blueprint.html",
        _("New version of {group}").format(group=group),
        crumbs,
        form=form,
        about=about,
        action=_("Make the version"),
    )


def _said(request: HttpRequest, made: versions.NewVersion) -> HttpResponse:
    messages.success(
        request,
        _(
            "Version {version} is made and live. When callers should move, say in the old version since when it is deprecated."
        ).format(version=made.group),
    )
    if made.unpublished:
        names = ", ".join(endpoint.name for endpoint in made.unpublished)
        messages.warning(
            request, _("Only drafts, for there is something to mend: {names}.").format(names=names)
        )
    listed = reverse("admin:endpoints_endpoint_changelist")
    return HttpResponseRedirect(f"{listed}?group__id__exact={made.group.pk}")
