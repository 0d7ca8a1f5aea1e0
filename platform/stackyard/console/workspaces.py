"""Workspaces and their variables in the console."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from stackyard.core import workspaces
from stackyard.core.models import Variable, Workspace
from stackyard.core.secrets import MASK

from .chosen_workspace import InWorkspace
from .problems import ProblemsOnForm

_LONG = forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"})


class WorkspaceForm(forms.ModelForm):
    """A workspace, with help at each field."""

    class Meta:
        model = Workspace
        fields = ("name", "description", "timezone")
        widgets = {"description": _LONG}
        labels = {"timezone": gettext_lazy("Time zone")}
        help_texts = {
            "name": gettext_lazy("Lower case letters, digits, - and _, such as shop."),
            "timezone": gettext_lazy("What today means in stacks: an IANA name, such as Europe/Berlin."),
        }


class WorkspaceAdmin(ProblemsOnForm, InWorkspace):
    """Name, description, time zone. A workspace cannot be deleted here: that would take every record with it."""

    form = WorkspaceForm
    workspace_lookup = "pk"
    show_facets = admin.ShowFacets.NEVER
    list_display = ("name", "description", "timezone", "created_at")
    search_fields = ("name", "description")
    empty_text = gettext_lazy(
        "A workspace holds the tables, endpoints and variables that belong together. Make the first one."
    )

    def save_model(self, request: HttpRequest, obj: Workspace, form: forms.ModelForm, change: bool) -> None:
        """Through the one door to workspaces."""
        values = {name: getattr(obj, name) for name in ("name", "description", "timezone")}
        if change:
            workspaces.edit_workspace(obj, **values)
        else:
            obj.pk = workspaces.create_workspace(values.pop("name"), **values).pk

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class VariableForm(forms.ModelForm):
    """A variable with its value; a secret's value goes in and never comes out."""

    value = forms.CharField(
        required=False,
        strip=False,
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField code", "spellcheck": "false"}),
    )
    is_secret = forms.BooleanField(
        required=False,
        label=gettext_lazy("Secret"),
        help_text=gettext_lazy("Stored encrypted, never shown again, masked in history and traces."),
    )

    class Meta:
        model = Variable
        fields = ("workspace", "name", "description", "is_secret")
        widgets = {"description": _LONG}
        help_texts = {
            "name": gettext_lazy(
                "Capital letters, digits and _, such as REPORT_EMAIL. Stacks read env.REPORT_EMAIL."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.is_secret:
            self.fields["is_secret"].disabled = True
            self.fields[
                "is_secret"
            ].help_text = "A secret stays a secret: make another variable for plain text."
            self.fields["value"].help_text = "Leave empty to keep the stored value. It is never shown again."
        elif self.instance.pk:
            self.fields["value"].initial = self.instance.value


class VariableAdmin(ProblemsOnForm, InWorkspace):
    """Named values that stacks see as `env.NAME`."""

    form = VariableForm
    show_facets = admin.ShowFacets.NEVER
    list_display = ("name", "shown_value", "description", "workspace")
    list_filter = ("workspace",)
    search_fields = ("name", "description")
    fields = ("workspace", "name", "description", "is_secret", "value")
    actions = None
    empty_text = gettext_lazy(
        "A variable is a value that stacks read as env.NAME: an address, a limit, a secret key."
    )

    @admin.display(description=gettext_lazy("Value"))
    def shown_value(self, variable: Variable) -> str:
        """The text, cut; a mask for a secret."""
        text = MASK if variable.is_secret else str(variable.value)
        return text if len(text) <= 60 else f"{text[:60]}…"

    def get_readonly_fields(self, request: HttpRequest, obj: Variable | None = None) -> tuple[str, ...]:
        """A variable stays in its workspace."""
        return ("workspace",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Variable, form: forms.ModelForm, change: bool) -> None:
        """Through the one door to variables; a secret's empty field leaves its value as it is."""
        given = form.cleaned_data
        if not change:
            made = workspaces.create_variable(
                obj.workspace,
                obj.name,
                given["value"],
                is_secret=obj.is_secret,
                description=obj.description,
            )
            obj.pk = made.pk
            return
        stored = Variable.objects.get(pk=obj.pk)
        changes = {name: given[name] for name in ("name", "description", "is_secret", "value")}
        if stored.is_secret and not given["value"]:
            del changes["value"]
        workspaces.edit_variable(stored, **changes)

    def delete_model(self, request: HttpRequest, obj: Variable) -> None:
        """Through the one door to variables."""
        workspaces.delete_variable(obj)
