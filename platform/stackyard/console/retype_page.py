"""Another type for a field, in the console: what will happen to the data is told before it is done."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stackyard.core.errors import Problem
from stackyard.core.principal import Principal
from stackyard.tables.conversions.planning import Plan, plan_retype
from stackyard.tables.conversions.starting import retype
from stackyard.tables.models import Table

from .field_forms import OptionsField, field_types, read_default, show_default
from .pages import page
from .problems import add_to_form
from .run_progress import TABLE_JOBS, under_way


class RetypeForm(forms.Form):
    """The type a field is to have."""

    type = forms.ChoiceField(choices=field_types, label=gettext_lazy("New type"))
    options = OptionsField(
        required=False,
        help_text=gettext_lazy("One a line, such as max_length: 20."),
        label=gettext_lazy("Options"),
    )
    on_bad = forms.ChoiceField(
        choices=[
            ("refuse", gettext_lazy("change nothing if there is one")),
            ("null", gettext_lazy("leave them empty")),
            ("default", gettext_lazy("give them the default")),
        ],
        label=gettext_lazy("Values that don't fit"),
    )
    default = forms.CharField(required=False, label=gettext_lazy("Default"))


class RetypePage:
    """One request: the form, the look at what will happen, or the change itself."""

    def __init__(self, request: HttpRequest, table: Table, field: int) -> None:
        self.request, self.table = request, table
        self.field = table.fields.filter(pk=field, hidden_at=None).first()
        self.back = reverse("admin:tables_table_change", args=[table.pk])

    def answer(self) -> HttpResponse:
        """The page, or the way on: to the table when it is done, to the run of a large one."""
        field = self.field
        if field is None:
            messages.error(self.request, _("There is no such field."))
            return HttpResponseRedirect(self.back)
        initial = {"type": field.type, "default": show_default(field.default)}
        form = RetypeForm(self.request.POST or None, initial=initial)
        plan: Plan | None = None
        if self.request.method == "POST" and form.is_valid():
            try:
                changes, on_bad = self._changes(form), form.cleaned_data["on_bad"]
                if "do" in self.request.POST:
                    return self._do(changes, on_bad)
                plan = plan_retype(field, changes, on_bad)
            except forms.ValidationError as error:
                form.add_error("default", error)
            except Problem as problem:
                add_to_form(form, problem, "options")
        return page(
            self.request,
            "console/retype.html",
            _("Another type for {name}").format(name=field.name),
            [(_("Tables"), reverse("admin:tables_table_changelist")), (self.table.name, self.back)],
            form=form,
            field_=field,
            plan=plan,
            under_way=under_way(TABLE_JOBS, self.table.pk),
            action=_("See what will happen"),
        )

    def _changes(self, form: RetypeForm) -> dict[str, Any]:
        given = form.cleaned_data
        options = given["options"] or {}
        changes = {"type": given["type"], **options}
        if given["default"]:
            changes["default"] = read_default(given["default"], given["type"], options)
        return changes

    def _do(self, changes: dict[str, Any], on_bad: str) -> HttpResponse:
        assert self.field is not None
        user: Any = self.request.user
        principal = Principal("builder", user.pk, self.table.workspace_id, frozenset({"*"}), label=str(user))
        run = retype(self.field, changes, on_bad=on_bad, principal=principal, trigger="console")
        if run is not None:
            return HttpResponseRedirect(reverse("admin:runs_run_change", args=[run.pk]))
        messages.success(self.request, _("The field {name} has its new type.").format(name=self.field.name))
        return HttpResponseRedirect(self.back)
