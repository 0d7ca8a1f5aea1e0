"""The documentation of API groups inside the console: our own reference page, and Swagger UI in a frame."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from endpoints.models import ApiGroup
from endpoints.openapi import group_document
from endpoints.openapi_facts import gather

from .chosen_workspace import chosen_workspace
from .docs_reference import operations
from .pages import page


def docs(request: HttpRequest) -> HttpResponse:
    """The groups; with one group alone, its page."""
    groups = _groups(request)
    if len(groups) == 1:
        return HttpResponseRedirect(reverse("admin:group_docs", args=[groups[0].pk]))
    return page(request, "console/docs_groups.html", _("API docs"), [], groups=groups)


def group_docs(request: HttpRequest, pk: int) -> HttpResponse:
    """`?view=swagger` shows Swagger UI, anything else the reference."""
    group = ApiGroup.objects.select_related("workspace").filter(pk=pk).first()
    if group is None:
        messages.error(request, _("There is no such API group."))
        return HttpResponseRedirect(reverse("admin:docs"))
    shows_swagger = request.GET.get("view") == "swagger"
    context: dict[str, Any] = {} if shows_swagger else {"document": group_document(*gather(group))}
    if context:
        context["operations"] = operations(context["document"])
    token = f"?token={quote(group.docs_token)}" if group.docs == "token" else ""
    return page(
        request,
        "console/docs.html",
        group.name,
        [(_("API docs"), reverse("admin:docs"))],
        group=group,
        groups=_groups(request),
        shows_swagger=shows_swagger,
        swagger_url=f"/apidoc:{group.canonical}{token}",
        download_url=f"/apispec:{group.canonical}{token}",
        is_open=group.active and group.docs != "off",
        **context,
    )


def _groups(request: HttpRequest) -> list[ApiGroup]:
    groups = ApiGroup.objects.select_related("workspace").order_by("workspace__name", "name")
    chosen = chosen_workspace(request)
    return list(groups.filter(workspace=chosen) if chosen else groups)
