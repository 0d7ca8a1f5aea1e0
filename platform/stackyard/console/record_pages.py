"""The pages of a table's records: list, add, edit, delete; all through the one door to records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from stackyard.core.errors import Problem
from stackyard.core.jsonout import iso
from stackyard.tables.models import Table
from stackyard.tables.schema import TableDef, load_schema
from stackyard.tables.store import Store

from . import grid
from .chosen_source import source_of
from .gate import may_do
from .pages import Crumb, confirmed, page
from .record_filters import OPERATORS
from .record_inputs import RecordInput, add_problem, inputs_of, read_inputs
from .record_list import RecordList
from .run_progress import TABLE_JOBS, under_way

View = Callable[..., HttpResponse]


class RecordPages:
    """The routes below a table. `found` hands a view its table, `guarded` lets in who may."""

    def __init__(self, found: Callable[[Callable[..., Any]], View], guarded: Callable[[View], View]) -> None:
        self.found = found
        self.guarded = guarded

    def urls(self) -> list[URLPattern]:
        """List, add, edit, delete."""
        routes: list[tuple[str, Callable[..., Any], str]] = [
            ("<int:pk>/records/", list_records, "records"),
            ("<int:pk>/records/add/", add_record, "add_record"),
            ("<int:pk>/records/<int:record>/", edit_record, "record"),
            ("<int:pk>/records/<int:record>/delete/", delete_record, "delete_record"),
        ]
        return [
            path(route, self.guarded(self.found(view)), name=f"tables_table_{name}")
            for route, view, name in routes
        ]


def _opened(request: HttpRequest, table: Table) -> tuple[Store, TableDef]:
    schema = load_schema(table.workspace_id, source_of(request, table.workspace))
    return Store(schema), schema.tables_by_id[table.pk]


def _crumbs(table: Table, *more: Crumb) -> list[Crumb]:
    tables, records = (
        reverse("admin:tables_table_changelist"),
        reverse("admin:tables_table_records", args=[table.pk]),
    )
    return [("Tables", tables), (table.name, records), *more]


def list_records(request: HttpRequest, table: Table) -> HttpResponse:
    """A page of records."""
    store, definition = _opened(request, table)
    records = RecordList(store, definition, request.GET.dict())
    records.load()
    return page(
        request,
        "console/records.html",
        table.name,
        [(_("Tables"), reverse("admin:tables_table_changelist"))],
        table=table,
        records=records,
        heads=records.heads(),
        rows=records.rows(),
        pages=records.pages(),
        operators=OPERATORS,
        definition=definition,
        under_way=under_way(TABLE_JOBS, table.pk),
        grid=grid.props(
            table, definition, may_do(request, reverse("admin:tables_table_grid_change", args=[table.pk]))
        ),
    )


def add_record(request: HttpRequest, table: Table) -> HttpResponse:
    """A new record."""
    store, definition = _opened(request, table)
    inputs = inputs_of(definition)
    problems: list[str] = []
    if request.method == "POST":
        values = read_inputs(inputs, request.POST, is_new=True)
        if not any(entry.errors for entry in inputs):
            try:
                made = store.add(definition, values)
                messages.success(request, _("Record {id} is added.").format(id=made["id"]))
                name = "add_record" if "another" in request.POST else "records"
                return HttpResponseRedirect(reverse(f"admin:tables_table_{name}", args=[table.pk]))
            except Problem as problem:
                problems = add_problem(inputs, problem)
    return _form(request, table, "New record", inputs, problems, is_new=True)


def edit_record(request: HttpRequest, table: Table, record: int) -> HttpResponse:
    """A record that is there; only what was changed is written."""
    store, definition = _opened(request, table)
    held = store.get(definition, record, fields=list(definition.readable))
    if held is None:
        messages.error(
            request, _("There is no record {record} in {name}.").format(record=record, name=table.name)
        )
        return HttpResponseRedirect(reverse("admin:tables_table_records", args=[table.pk]))
    inputs = inputs_of(definition, held)
    problems: list[str] = []
    if request.method == "POST":
        values = read_inputs(inputs, request.POST, is_new=False)
        if not any(entry.errors for entry in inputs):
            try:
                if values:
                    store.patch(definition, record, values)
                messages.success(request, _("Record {record} is saved.").format(record=record))
                return HttpResponseRedirect(reverse("admin:tables_table_records", args=[table.pk]))
            except Problem as problem:
                problems = add_problem(inputs, problem)
    return _form(request, table, f"Record {record}", inputs, problems, is_new=False, record=held)


def _form(
    request: HttpRequest,
    table: Table,
    title: str,
    inputs: list[RecordInput],
    problems: list[str],
    *,
    is_new: bool,
    record: Any = None,
) -> HttpResponse:
    return page(
        request,
        "console/record.html",
        title,
        _crumbs(table),
        table=table,
        inputs=inputs,
        problems=problems,
        has_errors=bool(problems) or any(entry.errors for entry in inputs),
        is_new=is_new,
        record=record,
        created_at=iso(record["created_at"]) if record else "",
    )


def delete_record(request: HttpRequest, table: Table, record: int) -> HttpResponse:
    """Ask, then delete a record."""
    store, definition = _opened(request, table)
    records = reverse("admin:tables_table_records", args=[table.pk])
    return confirmed(
        request,
        lambda: store.delete(definition, record),
        title=_("Delete record {record}").format(record=record),
        warning=_(
            "Record {record} of {name} is deleted for good, with what its references say goes along."
        ).format(record=record, name=table.name),
        action=_("Yes, delete this record"),
        done=_("Record {record} is deleted.").format(record=record),
        back=reverse("admin:tables_table_record", args=[table.pk, record]),
        after=records,
        crumbs=_crumbs(table),
    )
