"""A blueprint with options in the console: its form, made from what it asks for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from endpoints.blueprints import Blueprint, Option, apply_blueprint
from endpoints.models import Endpoint
from stackyard.core.errors import Detail, Problem
from stackyard.core.models import Workspace
from stackyard.tables.models import Table

from .chosen_workspace import chosen_workspace
from .group_choice import InGroup, TableField
from .pages import page
from .problems import add_to_form, details_of


def with_options() -> list[type[Blueprint]]:
    """The blueprints that have a page of their own."""
    return [kind for _, kind in sorted(Blueprint.all().items()) if kind.options]


class OptionsForm(InGroup):
    """The group, the table where the blueprint takes one, and a field for each of its options."""

    def __init__(
        self, kind: type[Blueprint], *args: Any, workspace: Workspace | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, workspace=workspace, **kwargs)
        self.kind = kind
        if kind.takes_table:
            tables = Table.objects.filter(hidden_at=None).select_related("workspace")
            if workspace is not None:
                tables = tables.filter(workspace=workspace)
            self.fields["table"] = TableField(tables, empty_label=None, label=_("Table"))
        for option in kind.options:
            self.fields[f"option_{option.name}"] = _field(option)

    def create(self, author: Any) -> list[Endpoint]:
        """The endpoints made; none when the form (which then says why) was refused."""
        if not self.is_valid():
            return []
        given = self.cleaned_data
        options = {option.name: given[f"option_{option.name}"] for option in self.kind.options}
        table = given["table"].name if given.get("table") else None
        try:
            with transaction.atomic():
                made = apply_blueprint(self.chosen_group(), self.kind.name, table, author, options)
        except Problem as problem:
            add_to_form(self, _on_fields(problem))
            return []
        if not made:
            self.add_error(None, _("The group answers at this address already: nothing was made."))
        return made


def _on_fields(problem: Problem) -> Problem:
    details = [
        Detail(detail.field.replace("options.", "option_", 1), detail.code, detail.message)
        for detail in details_of(problem)
    ]
    return Problem(problem.code, problem.message, suggestion=problem.suggestion, details=details)


def _field(option: Option) -> forms.Field:
    about: dict[str, Any] = {
        "label": _(option.label),
        "help_text": _(option.help),
        "required": option.required,
        "initial": option.default,
    }
    if option.choices:
        return forms.ChoiceField(choices=[(choice, choice) for choice in option.choices], **about)
    return forms.CharField(
        max_length=2000, widget=forms.TextInput(attrs={"class": "vTextField code"}), **about
    )


def blueprint_page(request: HttpRequest, kind: type[Blueprint]) -> HttpResponse:
    """The form; after it was sent, the first endpoint made, in the editor."""
    chosen = chosen_workspace(request)
    form = OptionsForm(kind, request.POST or None, workspace=chosen, initial=request.GET.dict())
    made = form.create(request.user) if request.method == "POST" else []
    if made:
        messages.success(
            request,
            _("{made} is made and live. Look it over, and set its secret if it has one.").format(
                made=made[0]
            ),
        )
        return HttpResponseRedirect(reverse("admin:endpoints_endpoint_change", args=[made[0].pk]))
    crumbs = [
        (_("Endpoints"), reverse("admin:endpoints_endpoint_changelist")),
        (_("New endpoint"), reverse("admin:endpoints_endpoint_add")),
    ]
    about = kind.description()
    return page(
        request,
        "console/blueprint.html",
        _(kind.label),
        crumbs,
        form=form,
        about=about,
        action=_("Make and publish it"),
    )
