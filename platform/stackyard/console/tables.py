"""Tables in the console: make one, change its fields and indexes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stackyard.core.errors import Problem
from stackyard.tables import changes
from stackyard.tables.foresight import Change
from stackyard.tables.models import Index, Table

from . import grid, import_pages, new_table
from .chosen_workspace import InWorkspace
from .dropped_page import dropped_page
from .field_page import FieldPage
from .outlook_page import looked_at
from .pages import confirmed
from .problems import sentence
from .record_pages import RecordPages
from .relations_page import relations
from .retype_page import RetypePage
from .table_page import LIST, TablePage, crumbs_of


class TableAdmin(InWorkspace):
    """The list of tables, a table's fields and indexes, and the way to its records."""

    show_facets = admin.ShowFacets.NEVER
    list_display = ("name", "records", "field_count", "workspace", "description")
    list_filter = ("workspace",)
    search_fields = ("name", "description")
    list_select_related = ("workspace",)
    actions = None
    empty_text = gettext_lazy("A table holds records of one shape, such as customers or orders.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Table]:
        """The tables that are not hidden, with the count of their fields."""
        shown = Q(fields__hidden_at=None) & Q(fields__isnull=False)
        tables: QuerySet[Table] = super().get_queryset(request)
        return tables.filter(hidden_at=None).annotate(field_total=Count("fields", filter=shown))

    @admin.display(description=gettext_lazy("Records"))
    def records(self, table: Table) -> str:
        """The way to the records."""
        return format_html('<a href="{}">Records</a>', reverse("admin:tables_table_records", args=[table.pk]))

    @admin.display(description=gettext_lazy("Fields"))
    def field_count(self, table: Any) -> int:
        """Fields beside id and created_at."""
        count: int = table.field_total
        return count

    def get_urls(self) -> list[URLPattern]:
        """The admin's own forms are not among them: they would go past the deeds."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="tables_table_changelist"),
            *new_table.urls(view),
            path("dropped/", view(dropped_page), name="tables_table_dropped"),
            path("relations/", view(relations), name="tables_table_relations"),
            path("<int:pk>/change/", view(self._found(TablePage)), name="tables_table_change"),
            path("<int:pk>/delete/", view(self._found(hide_table)), name="tables_table_delete"),
            path("<int:pk>/fields/<int:field>/", view(self._found(FieldPage)), name="tables_table_field"),
            path(
                "<int:pk>/fields/<int:field>/type/",
                view(self._found(RetypePage)),
                name="tables_table_retype",
            ),
            path(
                "<int:pk>/fields/<int:field>/hide/",
                view(self._found(hide_field)),
                name="tables_table_hide_field",
            ),
            path(
                "<int:pk>/indexes/<int:index>/hide/",
                view(self._found(hide_index)),
                name="tables_table_hide_index",
            ),
            *RecordPages(self._found, view).urls(),
            *grid.urls(),
            *import_pages.urls(self._found, view),
        ]

    def _found(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        """A view that is handed the table; the list with a word when it is gone, or when a Problem has no form."""

        def view(request: HttpRequest, pk: int, **more: Any) -> HttpResponseBase:
            table = Table.objects.select_related("workspace").filter(pk=pk, hidden_at=None).first()
            if table is None:
                messages.error(request, _("There is no such table; somebody may have hidden it."))
                return HttpResponseRedirect(reverse(LIST))
            try:
                answered = answer(request, table, **more)
                made: HttpResponseBase = (
                    answered if isinstance(answered, HttpResponseBase) else answered.answer()
                )
                return made
            except Problem as problem:
                messages.error(request, _("Not done: {problem}").format(problem=sentence(problem)))
                return HttpResponseRedirect(reverse(LIST))

        return view


def hide_table(request: HttpRequest, table: Table) -> HttpResponse:
    """Ask, then take a table away from people."""
    return confirmed(
        request,
        lambda: changes.hide_table(table),
        title=_("Delete {name}").format(name=table.name),
        warning=_(
            "The table {name} and its records are gone for everybody at once. Stacks that use it fail."
        ).format(name=table.name),
        action=_("Yes, delete this table"),
        done=_("The table {name} is deleted.").format(name=table.name),
        back=reverse("admin:tables_table_change", args=[table.pk]),
        after=reverse(LIST),
        crumbs=crumbs_of(table),
    )


def hide_field(request: HttpRequest, table: Table, field: int) -> HttpResponse:
    """Ask, then take a field away from people."""
    back = reverse("admin:tables_table_change", args=[table.pk])
    found = table.fields.filter(pk=field, hidden_at=None).first()
    if found is None:
        messages.error(request, _("There is no such field."))
        return HttpResponseRedirect(back)
    title = _("Delete field {name}").format(name=found.name)
    if request.method != "POST":
        look = looked_at(
            request,
            Change("hide", table, field=found),
            title,
            back,
            always=True,
            action=_("Yes, delete this field"),
        )
        if look is not None:
            return look
    return confirmed(
        request,
        lambda: changes.hide_field(found),
        title=title,
        warning=_("The values of {name} are gone for everybody at once. Stacks that name it fail.").format(
            name=found.name
        ),
        action=_("Yes, delete this field"),
        done=_("The field {name} is deleted.").format(name=found.name),
        back=back,
        after=back,
        crumbs=crumbs_of(table),
    )


def hide_index(request: HttpRequest, table: Table, index: int) -> HttpResponse:
    """Ask, then drop an index."""
    back = reverse("admin:tables_table_change", args=[table.pk])
    found = Index.objects.filter(table=table, pk=index, hidden_at=None).first()
    if found is None:
        messages.error(request, _("There is no such index."))
        return HttpResponseRedirect(back)
    return confirmed(
        request,
        lambda: changes.hide_index(found),
        title=_("Drop index"),
        warning=_("Queries that used it become slower; a unique index no longer refuses doubles."),
        action=_("Yes, drop this index"),
        done=_("The index is dropped."),
        back=back,
        after=back,
        crumbs=crumbs_of(table),
    )
