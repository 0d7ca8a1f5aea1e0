"""CSV in and out of a table in the console: choose a file or paste a sheet, look at what would become of it, import; export."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.core.principal import Principal
from stackyard.runs.models import Run
from stackyard.tables.export import export_csv
from stackyard.tables.imports import uploads
from stackyard.tables.imports.plan import KIND, Options, look, start_import
from stackyard.tables.imports.preview import preview
from stackyard.tables.imports.sniffing import DELIMITERS
from stackyard.tables.models import Table
from stackyard.tables.query import Query
from stackyard.tables.schema import TableDef, fresh_schema, load_schema
from stackyard.tables.store import Store

from .chosen_source import source_of
from .json_pages import body_of
from .pages import Crumb, page
from .problems import details_of, sentence
from .record_filters import read_filters, where_of
from .run_progress import TABLE_JOBS, under_way

_DELIMITER_NAMES = {
    ",": gettext_lazy("comma"),
    ";": gettext_lazy("semicolon"),
    "\t": gettext_lazy("tab"),
    "|": gettext_lazy("bar"),
}
_ENCODINGS = ("utf-8", "utf-16", "cp1252", "iso-8859-1")


class UploadForm(forms.Form):
    """A file, or a copied sheet."""

    file = forms.FileField(required=False, label=gettext_lazy("CSV file"))
    text = forms.CharField(
        required=False,
        strip=False,
        label=gettext_lazy("Or paste rows of a sheet"),
        help_text=gettext_lazy("The first row names the fields."),
        widget=forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField code", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        given = super().clean() or {}
        if not given.get("file") and not given.get("text"):
            raise forms.ValidationError(_("Choose a file, or paste rows."))
        return given

    def chunks(self) -> Iterable[bytes]:
        """The bytes of what was given."""
        file = self.cleaned_data.get("file")
        return file.chunks() if file else [self.cleaned_data["text"].encode("utf-8", "replace")]


def urls(found: Any, guarded: Any) -> list[URLPattern]:
    """Import, its look, what it refused, export, below a table."""
    routes: list[tuple[str, Any, str]] = [
        ("<int:pk>/import/", begin, "import"),
        ("<int:pk>/import/<slug:file>/", ImportLook, "import_look"),
        ("<int:pk>/imported/<uuid:run>/rejects/", rejects, "import_rejects"),
        ("<int:pk>/export/", export, "export"),
    ]
    return [path(route, guarded(found(view)), name=f"tables_table_{name}") for route, view, name in routes]


def _crumbs(table: Table) -> list[Crumb]:
    records = reverse("admin:tables_table_records", args=[table.pk])
    return [(_("Tables"), reverse("admin:tables_table_changelist")), (table.name, records)]


def begin(request: HttpRequest, table: Table) -> HttpResponse:
    """The form for a file or a sheet; then the look at it."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            return HttpResponseRedirect(_kept(table, form.chunks()))
        except Problem as problem:
            form.add_error(None, sentence(problem))
    return page(
        request,
        "console/form.html",
        _("Import CSV"),
        _crumbs(table),
        form=form,
        under_way=under_way(TABLE_JOBS, table.pk),
        action=_("Look at it"),
    )


def _kept(table: Table, chunks: Iterable[bytes]) -> str:
    """Keep a file; the address of the look at it. Problem when it is no CSV, and then nothing is kept."""
    file = uploads.keep(table.workspace_id, chunks)
    try:
        look(table.workspace, Options(file), table.name)
    except Problem:
        uploads.forget(table.workspace_id, file)
        raise
    return reverse("admin:tables_table_import_look", args=[table.pk, file])


def paste(request: HttpRequest, store: Store, table: TableDef) -> dict[str, Any]:
    """A pasted sheet (`{"text"}`, tabs between cells, a head): the address of the look at it."""
    text = body_of(request).get("text")
    if not isinstance(text, str) or not text.strip():
        raise Problem("INVALID_INPUT", "text: expected a sheet.")
    return {"url": _kept(Table.objects.get(pk=table.id), [text.encode("utf-8", "replace")])}


def importer(request: HttpRequest, workspace: Workspace) -> Principal:
    """The person, as who the run writes."""
    user: Any = request.user
    return Principal("builder", user.pk, workspace.pk, frozenset({"*"}), label=str(user))


class ImportLook:
    """One request to the look at a file: what each column becomes, which cells are bad; then the import as a run."""

    def __init__(self, request: HttpRequest, table: Table, file: str) -> None:
        self.request, self.table, self.file = request, table, file
        self.sent = request.POST
        self.source = source_of(request, table.workspace)
        self.problems: list[str] = []

    def answer(self) -> HttpResponse:
        """The look, or the way to the run."""
        try:
            seen = look(self.table.workspace, Options(self.file, **self._layout()), self.table.name)
        except Problem as problem:
            messages.error(self.request, sentence(problem))
            return HttpResponseRedirect(reverse("admin:tables_table_import", args=[self.table.pk]))
        columns = self._columns(seen)
        options = Options(self.file, columns=columns, **self._layout(), **self._mode())
        if self.sent.get("do") == "import":
            run = self._start(options)
            if run is not None:
                return HttpResponseRedirect(reverse("admin:runs_run_change", args=[run.pk]))
        return self._page(seen, options)

    def _layout(self) -> dict[str, Any]:
        delimiter = {"tab": "\t"}.get(self.sent.get("delimiter", ""), self.sent.get("delimiter", ""))
        return {"delimiter": delimiter or None, "encoding": self.sent.get("encoding") or None}

    def _mode(self) -> dict[str, Any]:
        key = self.sent.get("key") or None
        return {"mode": "upsert" if key else "insert", "key": key}

    def _columns(self, seen: dict[str, Any]) -> list[str | None]:
        if "column-0" not in self.sent:
            return list(seen["columns"])
        return [self.sent.get(f"column-{place}") or None for place in range(len(seen["headers"]))]

    def _start(self, options: Options) -> Run | None:
        owner = self.table.workspace
        try:
            return start_import(
                owner,
                options,
                table=self.table.name,
                principal=importer(self.request, owner),
                trigger="console",
                data_source=self.source,
            )
        except Problem as problem:
            self.problems = [detail.message for detail in details_of(problem)] or [sentence(problem)]
            return None

    def _page(self, seen: dict[str, Any], options: Options) -> HttpResponse:
        known = fresh_schema(self.table.workspace_id, self.source).table(self.table.name)
        checked = None
        try:
            checked = preview(self.table.workspace, options, self.table.name, data_source=self.source)
        except Problem as problem:
            self.problems.append(sentence(problem))
        bad = {(one.line, one.column) for one in checked.bad} if checked else set()
        headers = seen["headers"]
        chosen = options.columns or []
        return page(
            self.request,
            "console/import.html",
            _("Import CSV"),
            _crumbs(self.table),
            table=self.table,
            under_way=under_way(TABLE_JOBS, self.table.pk),
            seen=seen,
            problems=self.problems,
            checked=checked,
            columns=[
                {
                    "header": header,
                    "field": chosen[place] if place < len(chosen) else None,
                    "type": _type_of(known, chosen[place] if place < len(chosen) else None),
                }
                for place, header in enumerate(headers)
            ],
            fields=list(known.fields),
            rows=[
                [
                    (cell, (line, headers[place] if place < len(headers) else "") in bad)
                    for place, cell in enumerate(row)
                ]
                for line, row in enumerate(seen["rows"], 2)
            ],
            keys=known.unique_fields,
            key=options.key,
            delimiters=[("tab" if sign == "\t" else sign, _DELIMITER_NAMES[sign]) for sign in DELIMITERS],
            delimiter="tab" if seen["delimiter"] == "\t" else seen["delimiter"],
            encodings=list(dict.fromkeys([seen["encoding"], *_ENCODINGS])),
        )


def _type_of(table: TableDef, name: str | None) -> str:
    field = table.fields.get(name or "")
    return "" if field is None else field.type.name


def rejects(request: HttpRequest, table: Table, run: Any) -> HttpResponseBase:
    """The rows that an import refused, as a file."""
    found = Run.objects.filter(pk=run, kind=KIND, workspace=table.workspace_id).first()
    path_ = None if found is None else uploads.rejects_path(table.workspace_id, str(found.pk))
    if path_ is None or not path_.exists():
        messages.info(request, _("This import has refused no row, or it was too long ago."))
        return HttpResponseRedirect(reverse("admin:tables_table_records", args=[table.pk]))
    name = f"{table.name}-rejects.csv"
    return FileResponse(
        path_.open("rb"), as_attachment=True, filename=name, content_type="text/csv; charset=utf-8"
    )


def export(request: HttpRequest, table: Table) -> HttpResponseBase:
    """The records that the present filters leave, as CSV: `?filters=[…]&private=1&guard=1`."""
    schema = load_schema(table.workspace_id, source_of(request, table.workspace))
    known = schema.tables_by_id[table.pk]
    where = where_of(known, read_filters(request.GET.get("filters", "")))
    store = Store(schema)
    if where is not None:
        # A filter that cannot be asked is told on a page, not in the middle of a file.
        store.prepare(Query(table=known.name, where=where))
    lines = export_csv(
        store, known, private="private" in request.GET, guard="guard" in request.GET, where=where
    )
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{table.name}.csv"'
    return answer
