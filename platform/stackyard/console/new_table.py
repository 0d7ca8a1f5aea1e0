"""A new table in the console: from nothing, from a template, or from a CSV file whose rows are its first records."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.runs.models import Run
from stackyard.tables import changes
from stackyard.tables.imports import uploads
from stackyard.tables.imports.guessing import field_name
from stackyard.tables.imports.plan import Options, look, start_import
from stackyard.tables.models import Table

from .chosen_workspace import SightField, all_workspaces, chosen_workspace
from .field_forms import OWN_WORDS, FieldRowSet, option_help, rows_of, show_default, write_options
from .import_pages import UploadForm, importer
from .pages import Crumb, page
from .problems import add_to_rows, sentence
from .table_page import LIST
from .table_templates import TEMPLATES


class NewTableForm(forms.Form):
    """What a table is called and where it lives."""

    workspace = SightField(Workspace.objects.all(), empty_label=None)
    name = forms.CharField(max_length=63, help_text=gettext_lazy("Letters, digits and _, such as customers."))
    description = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"})
    )


class TableUploadForm(UploadForm):
    """A file, or a copied sheet, and where its table is to live."""

    workspace = SightField(Workspace.objects.all(), empty_label=None)
    field_order = ("workspace", "file", "text")


def urls(view: Any) -> list[URLPattern]:
    """The pages; each ends in /add/, which tells the gate who they are for."""
    return [
        path("add/", view(add), name="tables_table_add"),
        path("csv/add/", view(upload), name="tables_table_add_csv"),
        path("csv/<slug:file>/add/", view(look_at), name="tables_table_add_look"),
    ]


def _crumbs() -> list[Crumb]:
    return [(_("Tables"), reverse(LIST))]


def add(request: HttpRequest) -> HttpResponse:
    """A new table with its fields; `?template=` begins with those of a template."""
    template = TEMPLATES.get(request.GET.get("template", ""))
    workspace = _begins_in(request)
    begun = {"workspace": workspace, "name": template.name if template else ""}
    form = NewTableForm(request.POST or None, initial=begun)
    rows = FieldRowSet(request.POST or None, prefix="fields")
    if "more" in request.POST:
        rows = _with_more_rows(request)
    elif request.method == "POST":
        if form.is_valid() and rows.is_valid() and (table := _create(form, rows)) is not None:
            messages.success(
                request, _("The table {name} is made. Add its first record.").format(name=table.name)
            )
            return HttpResponseRedirect(reverse("admin:tables_table_records", args=[table.pk]))
    elif template is not None:
        rows = rows_of(_initial(template.fields_beside(_tables_of(workspace))))
    return page(
        request,
        "console/new_table.html",
        _("New table"),
        _crumbs(),
        form=form,
        rows=rows,
        types=option_help(),
        templates=TEMPLATES.values(),
        begun=template,
        action=_("Make the table"),
    )


def _begins_in(request: HttpRequest) -> Workspace | None:
    """The workspace that the form begins with."""
    return chosen_workspace(request) or next(iter(all_workspaces(request)), None)


def _tables_of(workspace: Workspace | None) -> set[str]:
    return set(Table.objects.filter(workspace=workspace, hidden_at=None).values_list("name", flat=True))


def _initial(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """Fields in their YAML form as rows begin with them."""
    rows = []
    for name, given in fields.items():
        spec = {"type": given} if isinstance(given, str) else dict(given)
        rows.append(
            {
                "name": name,
                "type": spec["type"],
                "options": write_options({key: one for key, one in spec.items() if key not in OWN_WORDS}),
                "required": spec.get("required", False),
                "unique": spec.get("unique", False),
                "default": show_default(spec.get("default")),
            }
        )
    return rows


def _with_more_rows(request: HttpRequest) -> Any:
    """The rows as typed and three empty ones, unchecked."""
    data = request.POST.copy()
    total = data.get("fields-TOTAL_FORMS", "0")
    data["fields-TOTAL_FORMS"] = str(min(int(total), 497) + 3 if re.match(r"[0-9]{1,6}\Z", total) else 4)
    return FieldRowSet(data, prefix="fields")


def _create(form: NewTableForm, rows: Any) -> Table | None:
    given = form.cleaned_data
    try:
        return changes.create_table(
            given["workspace"], given["name"], description=given["description"], fields=rows.specs()
        )
    except Problem as problem:
        add_to_rows(form, {row.cleaned_data["name"]: row for row in rows.filled()}, problem)
        return None


def upload(request: HttpRequest) -> HttpResponse:
    """The form for a file or a sheet; then the look at it."""
    begun = {"workspace": _begins_in(request)}
    form = TableUploadForm(request.POST or None, request.FILES or None, initial=begun)
    if request.method == "POST" and form.is_valid():
        workspace = form.cleaned_data["workspace"]
        try:
            file = uploads.keep(workspace.pk, form.chunks())
            look(workspace, Options(file))
        except Problem as problem:
            form.add_error(None, sentence(problem))
        else:
            given = form.cleaned_data.get("file")
            name = field_name(given.name.rpartition(".")[0] or given.name) if given else ""
            address = reverse("admin:tables_table_add_look", args=[file])
            return HttpResponseRedirect(f"{address}?workspace={workspace.pk}&name={name}")
    return page(
        request,
        "console/form.html",
        _("New table from a CSV file"),
        _crumbs(),
        form=form,
        action=_("Look at it"),
    )


def look_at(request: HttpRequest, file: str) -> HttpResponse:
    """A field for each column, its type guessed; then the table, and the rows as a run."""
    sent = request.POST if request.method == "POST" else request.GET
    workspace = Workspace.objects.filter(pk=_number(sent.get("workspace", ""))).first()
    if workspace is None:
        raise Http404(_("There is nothing at this address."))
    try:
        seen = look(workspace, Options(file))
    except Problem as problem:
        messages.error(request, sentence(problem))
        return HttpResponseRedirect(reverse("admin:tables_table_add_csv"))
    form = NewTableForm(
        request.POST or None, initial={"workspace": workspace, "name": request.GET.get("name", "")}
    )
    form.fields["workspace"].widget = forms.HiddenInput()
    columns = dict.fromkeys(seen["columns"], "int") | seen["fields"]
    rows = (
        FieldRowSet(request.POST, prefix="fields")
        if request.method == "POST"
        else rows_of(_initial(columns), 0)
    )
    if request.method == "POST" and form.is_valid() and rows.is_valid():
        run = _start(request, workspace, file, form, rows)
        if run is not None:
            return HttpResponseRedirect(reverse("admin:runs_run_change", args=[run.pk]))
    return page(
        request,
        "console/new_table_csv.html",
        _("New table from a CSV file"),
        _crumbs(),
        form=form,
        rows=rows,
        seen=seen,
        types=option_help(),
        action=_("Make the table and import the rows"),
    )


def _start(
    request: HttpRequest, workspace: Workspace, file: str, form: NewTableForm, rows: Any
) -> Run | None:
    """Make the table and accept the import; what is refused is said at the rows. A row without a name leaves its column out."""
    given = form.cleaned_data
    try:
        return start_import(
            workspace,
            Options(file, columns=[row.cleaned_data.get("name") or None for row in rows.forms]),
            new_table={"name": given["name"], "description": given["description"], "fields": rows.specs()},
            principal=importer(request, workspace),
            trigger="console",
        )
    except Problem as problem:
        add_to_rows(form, {row.cleaned_data["name"]: row for row in rows.filled()}, problem)
        return None


def _number(text: str) -> int:
    return int(text) if re.match(r"[0-9]{1,18}\Z", text) else 0
