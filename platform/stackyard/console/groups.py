"""API groups in the console."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from endpoints import groups
from endpoints.models import ApiGroup
from stackyard.core.errors import Problem

from .chosen_workspace import InWorkspace
from .problems import ProblemsOnForm, sentence
from .times import MomentField, MomentInput
from .version_page import version_page


class ApiGroupForm(forms.ModelForm):
    """A group, with help at each field."""

    class Meta:
        model = ApiGroup
        exclude = ()
        help_texts = {
            "canonical": gettext_lazy(
                "The address is /api:CANONICAL/… Eight random characters unless you choose."
            ),
            "mount": gettext_lazy("A second, readable address: v1 makes /api/v1/… Leave empty for none."),
            "docs": gettext_lazy("Who may read /apidoc:CANONICAL and /apispec:CANONICAL."),
            "docs_token": gettext_lazy("Asked for where the documentation is shown with a token."),
            "cors": gettext_lazy(
                'Which browsers may call, such as {"origins": ["https://app.example.com"]}. Empty: none.'
            ),
            "unknown_inputs": gettext_lazy(
                "What happens to a call with a parameter the endpoint does not name."
            ),
            "active": gettext_lazy("Off: every endpoint of the group answers 404."),
            "deprecated_at": gettext_lazy("Sent with each answer as Deprecation."),
            "sunset_at": gettext_lazy("Sent as Sunset: when the group will stop answering."),
            "successor": gettext_lazy("Sent as the link to the version that replaces this one."),
        }
        widgets = {
            "cors": forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField code", "spellcheck": "false"}),
            "description": forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
        }


class ApiGroupAdmin(ProblemsOnForm, InWorkspace):
    """Where endpoints live: address, documentation, CORS, deprecation."""

    form = ApiGroupForm
    show_facets = admin.ShowFacets.NEVER
    list_display = ("name", "address", "mount", "documentation", "workspace", "active")
    list_filter = ("workspace", "active")
    search_fields = ("name", "canonical", "mount", "description")
    readonly_fields = ("documentation",)
    formfield_overrides = {models.DateTimeField: {"form_class": MomentField, "widget": MomentInput}}
    empty_text = gettext_lazy(
        "A group gives its endpoints one address, one documentation and one CORS rule. A group is a version."
    )
    fieldsets = (
        (None, {"fields": ("workspace", "name", "description", "active")}),
        (gettext_lazy("Address"), {"fields": ("canonical", "mount")}),
        (gettext_lazy("Documentation"), {"fields": ("docs", "docs_token", "documentation")}),
        (gettext_lazy("Calls"), {"fields": ("cors", "unknown_inputs", "timestamps")}),
        (gettext_lazy("Versions"), {"fields": ("deprecated_at", "sunset_at", "successor")}),
    )

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and the page that makes a new version."""
        view = self.admin_site.admin_view(self.new_version)
        return [path("<int:pk>/version/", view, name="endpoints_apigroup_version"), *super().get_urls()]

    def new_version(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page that copies a group, for whoever may make one."""
        group = self.get_queryset(request).filter(pk=pk).first()
        if group is None or not self.has_add_permission(request):
            messages.error(request, sentence(Problem("NOT_FOUND", _("There is no such API group."))))
            return HttpResponseRedirect(reverse("admin:endpoints_apigroup_changelist"))
        return version_page(request, group)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiGroup | None = None) -> tuple[str, ...]:
        """A group stays in its workspace."""
        return ("workspace", "documentation") if obj else ("documentation",)

    @admin.display(description=gettext_lazy("Address"), ordering="canonical")
    def address(self, group: ApiGroup) -> str:
        """The canonical address."""
        return format_html("<code>/api:{}/</code>", group.canonical)

    @admin.display(description=gettext_lazy("Documentation"))
    def documentation(self, group: ApiGroup) -> str:
        """Where the group's documentation is read."""
        if not group.pk or group.docs == "off":
            return "Off" if group.pk else "\N{EN DASH}"
        return format_html('<a href="/apidoc:{0}">/apidoc:{0}</a>', group.canonical)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The group's form, with the way to its endpoints."""
        endpoints = f"{reverse('admin:endpoints_endpoint_changelist')}?group__id__exact={object_id}"
        version = reverse("admin:endpoints_apigroup_version", args=[object_id])
        tools = [(_("New version"), version), (_("Endpoints"), endpoints)]
        return super().change_view(request, object_id, form_url, {"tools": tools, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: ApiGroup, form: forms.ModelForm, change: bool) -> None:
        """Through the one door to groups."""
        if change:
            groups.edit_group(obj)
            return
        values = {name: form.cleaned_data[name] for name in form.cleaned_data if name != "workspace"}
        obj.pk = groups.create_group(obj.workspace, **values).pk

    def delete_model(self, request: HttpRequest, obj: ApiGroup) -> None:
        """Through the one door to groups."""
        groups.delete_group(obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """One by one, through the same door."""
        for group in queryset:
            groups.delete_group(group)
