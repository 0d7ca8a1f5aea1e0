"""The form of a new endpoint: where it lives, what it answers, who may call it, and what it starts from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.functional import lazy

from auth.methods import AuthMethod
from endpoints.models import METHODS, ApiGroup, Endpoint
from endpoints.publishing import create_endpoint
from endpoints.router import parse_template
from stackyard.core.errors import Detail, Faults, Problem, invalid_input
from stackyard.stacks.document import empty_document

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
