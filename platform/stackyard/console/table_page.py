"""The page of one table: its name, its fields, its indexes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stackyard.core.errors import Problem
from stackyard.core.principal import Principal
from stackyard.runs.progress import progress_text, progress_value
from stackyard.tables import changes
from stackyard.tables.foresight import Change
from stackyard.tables.indexing import build_run
from stackyard.tables.models import Field, Index, Table
from stackyard.tables.specs import field_spec

from .field_forms import OWN_WORDS, FieldRowForm, IndexForm, option_help, show_default, write_options
from .outlook_page import looked_at
from .pages import Crumb, page
from .problems import add_to_form
from .run_progress import TABLE_JOBS, under_way

LIST = "admin:tables_table_changelist"


def crumbs_of(table: Table) -> Sequence[Crumb]:
    """The trail to a table's pages."""
    return [(_("Tables"), reverse(LIST)), (table.name, reverse("admin:tables_table_change", args=[table.pk]))]


class TableForm(forms.Form):
    """The name and description of a table that is there."""

    name = forms.CharField(
        max_length=63,
        help_text=gettext_lazy("Renaming changes no data; stacks name tables, so look through them."),
    )
    description = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"})
    )


class TablePage:
    """One request to the page of a table: its name, its fields, its indexes. Each form is sent alone."""

    def __init__(self, request: HttpRequest, table: Table) -> None:
        self.request = request
        self.table = table
        self.own = TableForm(
            self._data("table"), initial={"name": table.name, "description": table.description}
        )
        self.row = FieldRowForm(self._data("field"), prefix="field")
        self.index = IndexForm(self._data("index"), prefix="index")

    def _data(self, form: str) -> Any:
        return self.request.POST if self.request.POST.get("do") == form else None

    def answer(self) -> HttpResponse:
        """The page, or the way back to it after a change."""
        deeds: dict[str | None, tuple[Any, Callable[[], str], str | None]] = {
            "table": (self.own, self._change_table, None),
            "field": (self.row, self._add_field, "options"),
            "index": (self.index, self._add_index, "names"),
        }
        form, deed, otherwise = deeds.get(self.request.POST.get("do"), (None, None, None))
        is_again = "again" in self.request.POST
        if form is not None and deed is not None and form.is_valid() and not is_again:
            try:
                look = self._look(form)
                if look is not None:
                    return look
                messages.success(self.request, deed())
                return HttpResponseRedirect(reverse("admin:tables_table_change", args=[self.table.pk]))
            except Problem as problem:
                add_to_form(form, problem, otherwise)
                self.table.refresh_from_db()
        return self._page()

    def _look(self, form: Any) -> HttpResponse | None:
        """What a new field or index will do; None when there is nothing to tell, or it was seen."""
        back = reverse("admin:tables_table_change", args=[self.table.pk])
        if form is self.row:
            name = form.cleaned_data["name"]
            title = _("Add the field {name}").format(name=name)
            change = Change("add", self.table, name=name, spec=form.spec())
        elif form is self.index:
            parts, title = form.parts(), _("Add the index")
            change = Change("index", self.table, parts=parts, unique=form.cleaned_data["unique"])
        else:
            return None
        return looked_at(self.request, change, title, back)

    def _change_table(self) -> str:
        given = self.own.cleaned_data
        if given["name"] != self.table.name:
            changes.rename_table(self.table, given["name"])
        if given["description"] != self.table.description:
            changes.edit_table(self.table, description=given["description"])
        return "The table is changed."

    def _add_field(self) -> str:
        field = changes.add_field(self.table, self.row.cleaned_data["name"], self.row.spec())
        return f"The field {field.name} is added."

    def _add_index(self) -> str:
        parts, unique = self.index.parts(), self.index.cleaned_data["unique"]
        index = changes.add_index(self.table, parts, unique, principal=self._principal(), trigger="console")
        return "The index is built." if index.built_at else "The index is being built."

    def _principal(self) -> Principal:
        user: Any = self.request.user
        return Principal("builder", user.pk, self.table.workspace_id, frozenset({"*"}), label=str(user))

    def _page(self) -> HttpResponse:
        table = self.table
        return page(
            self.request,
            "console/table.html",
            table.name,
            [(_("Tables"), reverse(LIST))],
            table=table,
            fields=[_shown_field(field) for field in table.fields.filter(hidden_at=None)],
            indexes=_shown_indexes(table),
            under_way=under_way(TABLE_JOBS, table.pk),
            own=self.own,
            row=self.row,
            index=self.index,
            types=option_help(),
        )


def _shown_field(field: Field) -> dict[str, Any]:
    spec = field_spec(field)
    spec = {"type": spec} if isinstance(spec, str) else dict(spec)
    return {
        **{name: spec.get(name) for name in OWN_WORDS},
        "pk": field.pk,
        "name": field.name,
        "access": field.access,
        "default": show_default(spec.get("default")),
        "options": write_options({name: value for name, value in spec.items() if name not in OWN_WORDS}),
    }


def _progress(index: Index) -> str:
    run = build_run(index)
    far = None if run is None else progress_value(run)
    return "" if far is None else progress_text(far)


def _shown_indexes(table: Table) -> list[dict[str, Any]]:
    names: dict[Any, str] = {
        "id": "id",
        "created_at": "created_at",
        **dict(table.fields.values_list("pk", "name")),
    }
    return [
        {
            "pk": index.pk,
            "unique": index.unique,
            "is_built": index.built_at is not None,
            "run": index.run_id if index.built_at is None else None,
            "progress": _progress(index),
            "fields": ", ".join(
                f"{names.get(part['field'], '?')}{' ↓' if part.get('descending') else ''}"
                for part in index.fields
            ),
        }
        for index in table.indexes.filter(hidden_at=None)
    ]
