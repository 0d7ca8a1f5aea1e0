"""Endpoints in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from auth import roles
from endpoints.models import ApiGroup, Endpoint
from endpoints.publishing import set_active

from .activity import Activity, last_day
from .blueprint_page import blueprint_page, with_options
from .chosen_workspace import InWorkspace, chosen_workspace, in_sight, narrowed_to
from .new_endpoint import BlueprintForm, NewEndpointForm
from .owners import EndpointOwner
from .pages import page
from .stack_pages import StackPages


class GroupsInSight(admin.RelatedFieldListFilter):
    """The groups of the workspaces that the person has a role in."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        """Identifier and name of each."""
        groups = in_sight(ApiGroup.objects.order_by("name"), request.user, roles.VIEWER)
        return [(group.pk, str(group)) for group in groups]


class EndpointAdmin(InWorkspace):
    """The list of endpoints; the editor is the page of each."""

    workspace_lookup = "group__workspace"
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "console/endpoints.html"
    list_display = ("call", "name", "state", "group", "auth")
    ordering = ("group__workspace__name", "group__name", "path", "method")
    list_display_links = ("call",)
    list_filter = (("group", GroupsInSight), "method", "active")
    search_fields = ("name", "path", "description")
    list_select_related = ("published", "group", "group__workspace")
    actions = None
    empty_text = gettext_lazy(
        "An endpoint answers one method and path. Make one, try it on the spot, publish it."
    )

    @admin.display(description=gettext_lazy("Call"), ordering="path")
    def call(self, endpoint: Endpoint) -> str:
        """Method and path."""
        return format_html(
            '<span class="method {}">{}</span> <code>{}</code>',
            endpoint.method.lower(),
            endpoint.method,
            endpoint.path,
        )

    @admin.display(description=gettext_lazy("State"))
    def state(self, endpoint: Endpoint) -> str:
        """Draft, live, off, or live with a draft that differs."""
        return render_to_string("console/state.html", {"owner": endpoint})

    @admin.display(description=gettext_lazy("Who may call"))
    def auth(self, endpoint: Endpoint) -> str:
        """The auth methods of what is live, else of the draft."""
        return ", ".join(_auth_of(endpoint))

    def get_urls(self) -> list[URLPattern]:
        """The list, the new endpoint, the pages of each, and its switch."""
        switch = path(
            "<int:pk>/switch/", self.admin_site.admin_view(self.switch), name="endpoints_endpoint_switch"
        )
        return [*StackPages(EndpointOwner, self).urls(), switch]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The endpoints under their groups, each with its day; groups without any when nothing narrows the list."""
        answer = super().changelist_view(request, extra_context)
        context: dict[str, Any] = getattr(answer, "context_data", None) or {}
        if "cl" in context:
            context["groups"] = _by_group(context["cl"], narrowed_to(request))
        return answer

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """One new endpoint, opened in the editor, or those of a blueprint, listed; `?blueprint=` asks for one with options."""
        kinds = with_options()
        chosen = next((kind for kind in kinds if kind.name == request.GET.get("blueprint")), None)
        if chosen is not None:
            return blueprint_page(request, chosen)
        for_table = request.POST.get("do") == "table"
        about: dict[str, Any] = {"workspace": chosen_workspace(request), "initial": request.GET.dict()}
        one = NewEndpointForm(None if for_table else request.POST or None, **about)
        many = BlueprintForm(request.POST if for_table else None, prefix="many", **about)
        made = (many if for_table else one).create(request.user) if request.method == "POST" else []
        if made and for_table:
            messages.success(request, _("{made} endpoints are made and live.").format(made=len(made)))
            group = f"?group__id__exact={made[0].group_id}"
            return HttpResponseRedirect(reverse("admin:endpoints_endpoint_changelist") + group)
        if made:
            messages.success(request, _("The endpoint is made. Write its stack, try it, publish it."))
            return HttpResponseRedirect(reverse("admin:endpoints_endpoint_change", args=[made[0].pk]))
        crumbs = [(_("Endpoints"), reverse("admin:endpoints_endpoint_changelist"))]
        return page(
            request,
            "console/new_endpoint.html",
            _("New endpoint"),
            crumbs,
            form=one,
            many=many,
            kinds=kinds,
            action=_("Make the endpoint"),
        )

    def switch(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Switch an endpoint off or on again (POST `active` = `on` or `off`)."""
        endpoint = Endpoint.objects.select_related("group").filter(pk=pk).first()
        if request.method == "POST" and endpoint is not None:
            active = request.POST.get("active") == "on"
            set_active(endpoint, active)
            messages.success(request, f"{endpoint} is switched {'on' if active else 'off'}.")
        return HttpResponseRedirect(reverse("admin:endpoints_endpoint_change", args=[pk]))


def _by_group(found: Any, workspace: Any) -> list[dict[str, Any]]:
    """`[{"group", "rows": [{"endpoint", "activity", "auth"}]}]` for what a list page shows."""
    day = last_day(workspace.pk if workspace else None)
    groups: dict[int, dict[str, Any]] = {}
    is_whole = not found.query and not found.has_active_filters and found.page_num == 1
    if is_whole and not found.multi_page:
        empty = ApiGroup.objects.select_related("workspace").order_by("workspace__name", "name")
        for group in empty.filter(workspace=workspace) if workspace else empty:
            groups[group.pk] = {"group": group, "rows": []}
    for endpoint in found.result_list:
        entry = groups.setdefault(endpoint.group_id, {"group": endpoint.group, "rows": []})
        activity = day.by_endpoint.get(endpoint.pk, Activity())
        entry["rows"].append({"endpoint": endpoint, "activity": activity, "auth": _auth_of(endpoint)})
    return list(groups.values())


def _auth_of(endpoint: Endpoint) -> list[str]:
    """The auth methods of what is live, else of the draft."""
    document = endpoint.published.document if endpoint.published else endpoint.draft
    methods = document.get("auth") if isinstance(document, dict) else None
    return [str(method) for method in methods] if isinstance(methods, list) else []
