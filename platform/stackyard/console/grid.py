"""What the grid of a table's records asks the server for, all through the one door to records.

Cells go both ways as texts, the way a CSV file has them (null: nothing). A change carries what the person saw before, so
that nobody's work is written over unseen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from stackyard.core.errors import Detail, Problem, invalid_input
from stackyard.tables.field_type import Refused
from stackyard.tables.models import Table
from stackyard.tables.query import Query
from stackyard.tables.schema import FieldDef, TableDef, load_schema
from stackyard.tables.store import Store

from .chosen_source import source_of
from .grid_columns import columns_of, labels_of, row_of, targets
from .import_pages import paste
from .json_pages import body_of, json_page
from .record_filters import OPERATORS, read_filters, where_of
from .record_inputs import is_needed

PER_PAGE = 50
DELETED_AT_ONCE = 1_000
_SORT = re.compile(r"-?[A-Za-z_][A-Za-z0-9_]{0,62}\Z")


def urls() -> list[URLPattern]:
    """The addresses below a table: rows, one whole cell, change, add, remove, look-up."""
    pages: dict[str, dict[str, Callable[..., Any]]] = {
        "rows": {"get": rows},
        "cell": {"get": cell},
        "change": {"post": change},
        "add": {"post": add},
        "remove": {"post": remove},
        "targets": {"get": look_up},
        "paste": {"post": paste},
    }
    return [
        path(f"<int:pk>/grid/{name}/", json_page(**_opened(deeds)), name=f"tables_table_grid_{name}")
        for name, deeds in pages.items()
    ]


def _opened(deeds: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The deeds, each handed a store and the table. Problem `NOT_FOUND` when there is none."""

    def opening(deed: Callable[..., Any]) -> Callable[..., Any]:
        def view(request: HttpRequest, pk: int) -> Any:
            return deed(request, *opened(request, pk))

        return view

    return {method: opening(deed) for method, deed in deeds.items()}


def opened(request: HttpRequest, pk: int) -> tuple[Store, TableDef]:
    """A store over the data that was chosen, and the table. Problem `NOT_FOUND` when there is none."""
    table = Table.objects.select_related("workspace").filter(pk=pk, hidden_at=None).first()
    if table is None:
        raise Problem("NOT_FOUND", _("There is no such table; somebody may have hidden it."))
    schema = load_schema(table.workspace_id, source_of(request, table.workspace))
    return Store(schema), schema.tables_by_id[table.pk]


def props(table: Table, definition: TableDef, can_write: bool = True) -> dict[str, Any]:
    """What the island begins with; who may not write gets no cell that can be edited."""
    names = ("rows", "cell", "change", "add", "remove", "targets", "paste")
    return {
        "table": table.name,
        "columns": [{**one, "isFixed": one["isFixed"] or not can_write} for one in columns_of(definition)],
        "canWrite": can_write,
        "operators": {word: str(label) for word, label, _ in OPERATORS},
        "urls": {name: reverse(f"admin:tables_table_grid_{name}", args=[table.pk]) for name in names},
        "record": reverse("admin:tables_table_record", args=[table.pk, 0]),
        "targets": {
            field.name: reverse("admin:tables_table_record", args=[field.target, 0])
            for field in definition.references
        },
    }


# Reading


def rows(request: HttpRequest, store: Store, table: TableDef) -> dict[str, Any]:
    """A page of rows: `?filters=[["name", "contains", "x"]]&sort=-name&cursor=…`, or the one of `?record=`."""
    asked = request.GET
    where = where_of(table, read_filters(asked.get("filters", "")))
    if "record" in asked:
        where = {"id": _id(asked["record"])}
    sort = asked.get("sort") or "-id"
    if _SORT.match(sort) is None:
        raise invalid_input([Detail("sort", "value", "expected a field's name")])
    cursor = asked.get("cursor", "")
    found = store.query(
        Query(
            table=table.name,
            where=where,
            sort=[sort],
            cursor=cursor,
            per_page=PER_PAGE,
            totals=False if cursor else "capped",
            fields=list(table.readable),
        )
    )
    return {
        "rows": [row_of(table, record) for record in found["items"]],
        "labels": labels_of(store, table, found["items"]),
        "next": found["nextCursor"],
        "total": found.get("itemsTotal"),
        "isCapped": bool(found.get("itemsTotalCapped")),
    }


def cell(request: HttpRequest, store: Store, table: TableDef) -> dict[str, Any]:
    """The whole text of one cell: `?record=1&field=meta`."""
    field = table.field(request.GET.get("field", ""))
    held = store.get(table, _id(request.GET.get("record")), fields=["id", field.name])
    if held is None:
        raise _gone()
    return {"text": None if held[field.name] is None else field.type.csv_text(held[field.name])}


def look_up(request: HttpRequest, store: Store, table: TableDef) -> dict[str, Any]:
    """Records that a reference may lead to: `?field=company&q=acm`."""
    field = table.field(request.GET.get("field", ""))
    if not field.is_reference:
        raise invalid_input([Detail("field", "value", "expected a reference")])
    return {
        "targets": targets(store, store.schema.tables_by_id[field.target], request.GET.get("q", "")[:100])
    }


# Writing


def change(request: HttpRequest, store: Store, table: TableDef) -> dict[str, Any]:
    """Change cells of a record: `{"record", "before": {field: text}, "after": {field: text}}`.

    Problem `CONFLICT` with a detail for each cell that holds something else by now; `NOT_FOUND` when the record is gone.
    """
    body = body_of(request)
    record = _id(body.get("record"))
    before, after = _texts(body, "before"), _texts(body, "after")
    values = read_cells(table, after)
    with store.transaction():
        held = store.query(
            Query(
                table=table.name,
                where={"id": record},
                return_="single",
                lock=True,
                fields=list(table.readable),
            )
        )
        if held is None:
            raise _gone()
        _refuse_unseen(table, held, before)
        store.patch(table, record, values)
    return _shown(store, table, record)


def _refuse_unseen(table: TableDef, held: Mapping[str, Any], before: Mapping[str, str | None]) -> None:
    details = []
    for name, seen in before.items():
        field = table.readable.get(name)
        now = None if field is None or held[name] is None else field.type.csv_text(held[name])
        if field is not None and now != seen:
            details.append(Detail(name, "changed", _("Somebody else has changed this meanwhile.")))
    if details:
        raise Problem(
            "CONFLICT",
            _("Somebody else has changed this record meanwhile."),
            suggestion=_("Look at what is there now, then save yours again or take theirs."),
            details=details,
        )


def add(request: HttpRequest, store: Store, table: TableDef) -> dict[str, Any]:
    """Add a record: `{"values": {field: text}}`; what is left out takes its default."""
    texts = {name: text for name, text in _texts(body_of(request), "values").items() if text is not None}
    values = read_cells(table, texts, also=[field for field in table.own_fields if is_needed(field)])
    return _shown(store, table, store.add(table, values)["id"])


def remove(request: HttpRequest, store: Store, table: TableDef) -> dict[str, Any]:
    """Delete records: `{"records": [1, 2]}`, all or none, with what their references say goes along."""
    given = body_of(request).get("records")
    if not isinstance(given, list) or not 0 < len(given) <= DELETED_AT_ONCE:
        raise invalid_input(
            [Detail("records", "length", f"expected 1 to {DELETED_AT_ONCE:,} ids of records")]
        )
    return {"deleted": store.delete_many(table, {"id": {"$in": [_id(one) for one in given]}})}


def read_cells(
    table: TableDef, texts: Mapping[str, str | None], also: list[FieldDef] | None = None
) -> dict[str, Any]:
    """Values of texts; Problem `INVALID_INPUT` with every fault, and for each field of `also` that is not there."""
    own = {field.name: field for field in table.own_fields}
    values: dict[str, Any] = {}
    details = [Detail(f.name, "required", "is required") for f in also or () if not texts.get(f.name)]
    for name, text in texts.items():
        field = own.get(name)
        if field is None:
            details.append(
                Detail(name, "unknown_field", f"There is no field {name[:80]} that can be written.")
            )
            continue
        try:
            values[name] = None if text is None else field.type.from_csv(text)
        except Refused as refused:
            details += [
                Detail(".".join((name, *map(str, fault.path))), fault.code, fault.message)
                for fault in refused.faults
            ]
    if details:
        raise invalid_input(details)
    return values


def _texts(body: Mapping[str, Any], key: str) -> dict[str, str | None]:
    given = body.get(key)
    if not isinstance(given, dict) or not all(
        text is None or isinstance(text, str) for text in given.values()
    ):
        raise invalid_input([Detail(key, "type", "expected an object of texts")])
    return given


def _id(given: Any) -> int:
    text = str(given)
    if isinstance(given, bool) or re.match(r"[1-9][0-9]{0,17}\Z", text) is None:
        raise invalid_input([Detail("record", "type", "expected the id of a record")])
    return int(text)


def _gone() -> Problem:
    return Problem("NOT_FOUND", _("The record is not there any more; somebody may have deleted it."))


def _shown(store: Store, table: TableDef, record: int) -> dict[str, Any]:
    held = store.get(table, record, fields=list(table.readable))
    if held is None:
        raise _gone()
    return {"row": row_of(table, held), "labels": labels_of(store, table, [held])}
