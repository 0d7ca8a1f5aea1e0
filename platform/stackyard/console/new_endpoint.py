"""The two ways to new endpoints: one by its method and path, or those a blueprint makes for a table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.db import transaction
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from auth.methods import AuthMethod
from endpoints.blueprints import Blueprint, apply_blueprint
from endpoints.models import METHODS, Endpoint
from endpoints.publishing import create_endpoint
from endpoints.router import parse_template
from stackyard.core.errors import Detail, Faults, Problem, invalid_input
from stackyard.stacks.document import empty_document
from stackyard.tables.models import Table
from stackyard.tables.schema import load_schema

from .group_choice import InGroup, TableField
from .problems import add_to_form


def _auth_methods() -> list[tuple[str, str]]:
    return [
        (name, gettext(kind.label or name)) for name, kind in sorted(AuthMethod.all().items(), reverse=True)
    ]


START = {
    "empty": _("Empty: I write it"),
    "get": _("Get one record"),
    "list": _("List records, a page at a time"),
    "create": _("Add a record"),
    "update": _("Change some fields of a record"),
    "replace": _("Replace a record"),
    "delete": _("Delete a record"),
}
"""What a new endpoint may start from: the names are what the blueprint's endpoints begin with."""


class NewEndpointForm(InGroup):
    """Method, path and name; the inputs that the path names are made along, the stack from a template if asked."""

    method = forms.ChoiceField(choices=[(method, method) for method in METHODS], label=_("Method"))
    path = forms.CharField(
        max_length=200,
        initial="/",
        label=_("Path"),
        help_text=_("Such as /customers/{customer_id}: what stands in braces becomes an input."),
        widget=forms.TextInput(attrs={"class": "vTextField code"}),
    )
    name = forms.CharField(
        max_length=63,
        required=False,
        label=_("Name"),
        help_text=_("Letters, digits and _, such as get_customer. Empty: made from method and path."),
    )
    description = forms.CharField(
        required=False, label=_("Description"), widget=forms.Textarea(attrs={"rows": 2})
    )
    auth = forms.MultipleChoiceField(
        choices=lazy(_auth_methods, list),  # type: ignore[arg-type]
        initial=["public"],
        label=_("Who may call"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Any one of the chosen ones suffices."),
    )
    start = forms.ChoiceField(
        choices=list(START.items()), initial="empty", required=False, label=_("Start from")
    )
    table = TableField(
        Table.objects.filter(hidden_at=None).select_related("workspace"),
        required=False,
        empty_label=_("No table"),
        label=_("Table"),
        help_text=_("For a template: the table it works on."),
    )

    def create(self, author: Any) -> list[Endpoint]:
        """The endpoints made; none when the form (which then says why) was refused."""
        if not self.is_valid():
            return []
        try:
            document = self._document()
            with transaction.atomic():
                return [create_endpoint(self.chosen_group(), document, author)]
        except Problem as problem:
            add_to_form(self, problem)
            return []

    def clean(self) -> dict[str, Any]:
        """A template needs a table."""
        given = super().clean()
        is_empty = (given.get("start") or "empty") == "empty"
        if not is_empty and given.get("table") is None and "table" not in self.errors:
            self.add_error("table", _("Choose the table that the template works on."))
        return given

    def _document(self) -> dict[str, Any]:
        given = self.cleaned_data
        names = list(_path_names(given["path"]))
        about = {
            "name": given["name"] or _name_of(given["method"], given["path"]),
            "method": given["method"],
            "path": given["path"],
            "description": given["description"],
            "auth": given["auth"],
        }
        inputs = {name: {"type": "int" if name.endswith("id") else "text"} for name in names}
        start = given["start"] or "empty"
        if start == "empty":
            return {**about, **empty_document(), "inputs": inputs}
        template = template_of(start, given["table"], names[-1] if names else None)
        if "{" in template["path"] and not names:
            message = _("This template needs the record's id in the path, such as {path}.")
            raise invalid_input([Detail("path", "required", message.format(path=template["path"]))])
        description = about["description"] or template["description"]
        return {**template, **about, "description": description, "inputs": {**inputs, **template["inputs"]}}


def template_of(start: str, table: Table, key: str | None) -> dict[str, Any]:
    """The document of one of a table's usual endpoints; `key` is what its path calls the record's id."""
    definition = load_schema(table.workspace_id).table(table.name)
    documents = Blueprint.get("crud")().documents(definition, key)
    return next(one for one in documents if one["name"].startswith(f"{start}_"))


def _blueprints() -> list[tuple[str, str]]:
    kinds = [(name, kind) for name, kind in Blueprint.all().items() if kind.takes_table and not kind.options]
    return [(name, f"{gettext(kind.label)}: {gettext(kind.sentence)}") for name, kind in kinds]


class BlueprintForm(InGroup):
    """A blueprint, the table it is for, and the group that gets what it makes."""

    table = TableField(
        Table.objects.filter(hidden_at=None).select_related("workspace"), empty_label=None, label=_("Table")
    )
    blueprint = forms.ChoiceField(
        choices=lazy(_blueprints, list),  # type: ignore[arg-type]
        widget=forms.RadioSelect,
        help_text=_(
            "What the group answers already is left as it is. What is made is live at once, for callers with an API key."
        ),
    )

    def create(self, author: Any) -> list[Endpoint]:
        """The endpoints made; none when the form (which then says why) was refused."""
        if not self.is_valid():
            return []
        given = self.cleaned_data
        try:
            with transaction.atomic():
                made = apply_blueprint(self.chosen_group(), given["blueprint"], given["table"].name, author)
        except Problem as problem:
            add_to_form(self, problem)
            return []
        if not made:
            self.add_error(None, _("The group answers all of these addresses already: nothing was made."))
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
