"""The two ways to new endpoints: one by its method and path, or those a blueprint makes for a table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.functional import lazy

from auth.methods import AuthMethod
from endpoints.blueprints import Blueprint, apply_blueprint
from endpoints.models import METHODS, ApiGroup, Endpoint
from endpoints.publishing import create_endpoint
from endpoints.router import parse_template
from stackyard.core.errors import Detail, Faults, Problem, invalid_input
from stackyard.stacks.document import empty_document
from stackyard.tables.models import Table

from .problems import add_to_form


class GroupField(forms.ModelChoiceField):
    """A group with its workspace."""

    def label_from_instance(self, obj: Any) -> str:
        """Workspace, group, address."""
        return (
            f"{obj.workspace} · {obj.name} (/api/{obj.mount})"
            if obj.mount
            else f"{obj.workspace} · {obj.name}"
        )


def _auth_methods() -> list[tuple[str, str]]:
    return [(name, kind.label or name) for name, kind in sorted(AuthMethod.all().items(), reverse=True)]


class NewEndpointForm(forms.Form):
    """Method, path and name; the inputs that the path names are made along."""

    group = GroupField(ApiGroup.objects.select_related("workspace"), empty_label=None, label="API group")
    method = forms.ChoiceField(choices=[(method, method) for method in METHODS])
    path = forms.CharField(
        max_length=200,
        initial="/",
        help_text="Such as /customers/{customer_id}: what stands in braces becomes an input.",
        widget=forms.TextInput(attrs={"class": "vTextField code"}),
    )
    name = forms.CharField(
        max_length=63,
        required=False,
        help_text="Letters, digits and _, such as get_customer. Empty: made from method and path.",
    )
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    auth = forms.MultipleChoiceField(
        choices=lazy(_auth_methods, list),  # type: ignore[arg-type]
        initial=["public"],
        label="Who may call",
        widget=forms.CheckboxSelectMultiple,
        help_text="Any one of the chosen ones suffices.",
    )

    def create(self, author: Any) -> list[Endpoint]:
        """The endpoints made; none when the form (which then says why) was refused."""
        if not self.is_valid():
            return []
        try:
            return [create_endpoint(self.cleaned_data["group"], self._document(), author)]
        except Problem as problem:
            add_to_form(self, problem)
            return []

    def _document(self) -> dict[str, Any]:
        given = self.cleaned_data
        names = _path_names(given["path"])
        return {
            "name": given["name"] or _name_of(given["method"], given["path"]),
            "method": given["method"],
            "path": given["path"],
            "description": given["description"],
            "auth": given["auth"],
            **empty_document(),
            "inputs": {name: {"type": "int" if name.endswith("id") else "text"} for name in names},
        }


class TableField(forms.ModelChoiceField):
    """A table with its workspace."""

    def label_from_instance(self, obj: Any) -> str:
        """Workspace and table."""
        return f"{obj.workspace} · {obj.name}"


def _blueprints() -> list[tuple[str, str]]:
    kinds = [(name, kind) for name, kind in Blueprint.all().items() if kind.takes_table and not kind.options]
    return [(name, f"{kind.label}: {kind.sentence}") for name, kind in kinds]


class BlueprintForm(forms.Form):
    """A blueprint, the table it is for, and the group that gets what it makes."""

    group = GroupField(ApiGroup.objects.select_related("workspace"), empty_label=None, label="API group")
    table = TableField(
        Table.objects.filter(hidden_at=None).select_related("workspace"), empty_label=None, label="Table"
    )
    blueprint = forms.ChoiceField(
        choices=lazy(_blueprints, list),  # type: ignore[arg-type]
        widget=forms.RadioSelect,
        help_text="What the group answers already is left as it is. What is made is live at once, for callers with an API key.",
    )

    def clean(self) -> dict[str, Any]:
        """Group and table belong together."""
        given = super().clean() or {}
        if (
            given.get("group")
            and given.get("table")
            and given["group"].workspace_id != given["table"].workspace_id
        ):
            self.add_error("table", "Choose a table of the group's workspace.")
        return given

    def create(self, author: Any) -> list[Endpoint]:
        """The endpoints made; none when the form (which then says why) was refused."""
        if not self.is_valid():
            return []
        given = self.cleaned_data
        try:
            made = apply_blueprint(given["group"], given["blueprint"], given["table"].name, author)
        except Problem as problem:
            add_to_form(self, problem)
            return []
        if not made:
            self.add_error(None, "The group answers all of these addresses already: nothing was made.")
        return made


def _path_names(path: str) -> Iterable[str]:
    """The parameters of a path. Problem `INVALID_INPUT` with every fault in it."""
    faults = Faults()
    template = parse_template(path, faults)
    if template is None:
        raise invalid_input([Detail("path", fault.code, fault.message) for fault in faults.found])
    return template.names


def _name_of(method: str, path: str) -> str:
    """`GET /customers/{customer_id}` → `get_customers_customer_id`."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", path).strip("_").lower()
    return f"{method.lower()}_{words}".rstrip("_")[:63]
