"""The page of one field: its name, rules and options."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stackyard.core.errors import Problem, did_you_mean
from stackyard.tables import changes
from stackyard.tables.field_type import FieldType
from stackyard.tables.foresight import Change
from stackyard.tables.models import Field, Table
from stackyard.tables.specs import field_spec

from .field_forms import ACCESS, OWN_WORDS, OptionsField, read_default, show_default, write_options
from .outlook_page import looked_at
from .pages import page
from .problems import add_to_form
from .run_progress import TABLE_JOBS, under_way


class FieldForm(forms.Form):
    """What may be changed of a field. Its type may not: the stored values depend on it."""

    name = forms.CharField(max_length=63, help_text=gettext_lazy("Renaming changes no data."))
    description = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"})
    )
    options = OptionsField(
        required=False,
        help_text=gettext_lazy("One a line, such as max_length: 20."),
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField code", "spellcheck": "false"}),
    )
    required = forms.BooleanField(
        required=False, help_text=gettext_lazy("Records that hold nothing here get the default.")
    )
    unique = forms.BooleanField(
        required=False, help_text=gettext_lazy("Refuse two records with the same value.")
    )
    default = forms.CharField(required=False, help_text=gettext_lazy("For records that say nothing here."))
    access = forms.ChoiceField(
        choices=ACCESS,
        help_text=gettext_lazy(
            "Private fields are left out of records unless a stack names them; internal ones callers never see."
        ),
    )


class FieldPage:
    """One request to the page of a field."""

    def __init__(self, request: HttpRequest, table: Table, field: int) -> None:
        self.request = request
        self.table = table
        self.back = reverse("admin:tables_table_change", args=[table.pk])
        self.field: Field | None = table.fields.filter(pk=field, hidden_at=None).first()

    def answer(self) -> HttpResponse:
        """The page, or the way back to the table after a change."""
        field = self.field
        if field is None:
            messages.error(self.request, _("There is no such field."))
            return HttpResponseRedirect(self.back)
        form = FieldForm(self.request.POST or None, initial=self._initial(field))
        if self.request.method == "POST" and "again" not in self.request.POST and form.is_valid():
            answered = self._answer(field, form)
            if answered is not None:
                return answered
        kind = FieldType.get(field.type)
        return page(
            self.request,
            "console/field_page.html",
            _("Field {name}").format(name=form.initial["name"]),
            [(_("Tables"), reverse("admin:tables_table_changelist")), (self.table.name, self.back)],
            form=form,
            # A template would call a class.
            kind={"label": kind.label, "name": kind.name, "description": kind.description},
            under_way=under_way(TABLE_JOBS, self.table.pk),
            options=[(name, option) for name, option in kind.option_spec.items()],
            action=_("Change the field"),
            retype_url=reverse("admin:tables_table_retype", args=[self.table.pk, field.pk]),
            hide_url=reverse("admin:tables_table_hide_field", args=[self.table.pk, field.pk]),
        )

    def _initial(self, field: Field) -> dict[str, Any]:
        spec = field_spec(field)
        spec = {"type": spec} if isinstance(spec, str) else dict(spec)
        options = {key: value for key, value in spec.items() if key not in OWN_WORDS}
        return {
            "name": field.name,
            "description": field.description,
            "options": write_options(options),
            "required": bool(spec.get("required")),
            "unique": bool(spec.get("unique")),
            "default": show_default(spec.get("default")),
            "access": field.access,
        }

    def _answer(self, field: Field, form: FieldForm) -> HttpResponse | None:
        """What will happen, or the way back after the change; None when the form says what is wrong."""
        name = form.cleaned_data["name"]
        try:
            spec = self._read(field, form)
            if spec is None:
                return None
            change = Change("edit", self.table, field=field, name=name, spec=spec)
            title = _("Change the field {name}").format(name=field.name)
            look = looked_at(self.request, change, title, self.back)
            if look is not None:
                return look
            changes.edit_field(field, **spec)
            if name != field.name:
                changes.rename_field(field, name)
        except forms.ValidationError as error:
            form.add_error("default", error)
            return None
        except Problem as problem:
            add_to_form(form, problem, "options")
            return None
        messages.success(self.request, _("The field {name} is changed.").format(name=field.name))
        return HttpResponseRedirect(self.back)

    def _read(self, field: Field, form: FieldForm) -> dict[str, Any] | None:
        """The field's rules and options as typed, what is left out as None; None when an option is unknown."""
        given = form.cleaned_data
        kind = FieldType.get(field.type)
        options = given["options"] or {}
        for key in options:
            if key not in kind.option_spec:
                hint = did_you_mean(key, kind.option_spec)
                form.add_error(
                    "options",
                    _('A {name} field has no option "{key}".{hint}').format(
                        name=kind.name, key=key, hint=hint
                    ),
                )
                return None
        default = read_default(given["default"], field.type, options) if given["default"] else None
        rules = {name: given[name] for name in ("required", "unique", "access", "description")}
        return {**dict.fromkeys(kind.option_spec), **options, **rules, "default": default}
