"""Records in the management API, through the one door to them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.body import parse_json
from stackyard.core.errors import Detail, Problem, invalid_input
from stackyard.core.meta.bodies import read_json
from stackyard.core.meta.data_source import SourceQuery
from stackyard.core.meta.lists import EnvelopeSerializer
from stackyard.core.meta.serializers import AnyJSON, FieldsKey, StrictSerializer, Text
from stackyard.core.meta.views import route

from .api import TABLE, TableBase
from .definitions import TableDef
from .models import Table
from .query import PER_PAGE, RETURNS, Query
from .schema import load_schema
from .store import Store

_ASKED = (
    "where",
    "sort",
    "page",
    "per_page",
    "offset",
    "cursor",
    "totals",
    "fields",
    "addons",
    "join",
    "computed",
    "group_by",
    "aggregate",
)


class ListQuery(FieldsKey, SourceQuery):
    """Which records, and how: the same question as a search, in a query string."""

    where = serializers.CharField(required=False, help_text='Conditions as JSON: `{"age": {"$gt": 17}}`.')
    sort = serializers.CharField(required=False, help_text="`-created_at,name`, or `random`.")
    page = serializers.IntegerField(required=False, help_text="From 1.")
    per_page = serializers.IntegerField(default=PER_PAGE, help_text="At most 1,000.")
    cursor = serializers.CharField(
        required=False, allow_blank=True, help_text="`nextCursor` of the page before; empty for the first."
    )
    totals = serializers.BooleanField(default=False, help_text="Also count: `itemsTotal`, `pageTotal`.")
    fields_ = serializers.CharField(
        required=False, help_text="Names with commas between; private fields come only when they are named."
    )


class OneQuery(FieldsKey, SourceQuery):
    """Which fields."""

    fields_ = serializers.CharField(required=False, help_text="Names with commas between.")


class SearchSerializer(FieldsKey, StrictSerializer):
    """A question to the table in the where language. Without page and cursor the answer is the first page."""

    where = AnyJSON(required=False)
    sort = AnyJSON(required=False, help_text='`"-created_at,name"`, a list of names, or `"random"`.')
    page = AnyJSON(required=False, help_text="From 1.")
    per_page = AnyJSON(required=False, help_text="At most 1,000.")
    offset = AnyJSON(required=False)
    cursor = AnyJSON(required=False, help_text="Empty for the first page.")
    totals = AnyJSON(required=False, help_text='false, true or "capped".')
    fields_ = AnyJSON(required=False, help_text="A list of names.")
    addons = AnyJSON(required=False, help_text="Records of other tables that belong to those found.")
    join = AnyJSON(required=False, help_text='Tables beside it: `[{"table", "as", "match", "type"}]`.')
    computed = AnyJSON(required=False, help_text='`{"due": "total - paid"}`.')
    group_by = AnyJSON(required=False, help_text="Field names, or parts of a time.")
    aggregate = AnyJSON(required=False, help_text='`{"orders": "count", "revenue": {"sum": "total"}}`.')
    return_ = serializers.ChoiceField(choices=list(RETURNS), required=False)


class RecordSerializer(serializers.Serializer[Any]):
    """A record: the table's own fields beside these."""

    id = serializers.IntegerField()
    created_at = serializers.CharField()


class RecordPageSerializer(EnvelopeSerializer):
    """A page of records."""

    nextCursor = Text(required=False, allow_null=True)
    items = RecordSerializer(many=True)


class ItemsSerializer(StrictSerializer):
    """Many records at once, all or none. To change records, each item has its `id`."""

    items = serializers.ListField(child=serializers.DictField())


class WhereSerializer(StrictSerializer):
    """Which records to delete; `{}` is all of them."""

    where = serializers.DictField()


class DeletedSerializer(serializers.Serializer[Any]):
    """How many were deleted."""

    deleted = serializers.IntegerField()


class RecordViewSet(TableBase):
    """The records of a table. Whoever may change a table may change its records."""

    noun, tag, model = "record", "records", Table
    rights = {
        "list": "view",
        "search": "view",
        "retrieve": "view",
        **dict.fromkeys(
            (
                "create",
                "update",
                "partial_update",
                "destroy",
                "add_many",
                "replace_many",
                "change_many",
                "delete_many",
            ),
            "change",
        ),
    }
    shows = RecordSerializer
    answers = {
        "list": RecordPageSerializer,
        "search": RecordPageSerializer,
        "delete_many": DeletedSerializer,
        **dict.fromkeys(("add_many", "replace_many", "change_many"), ItemsSerializer),
    }
    bodies = {
        "search": SearchSerializer,
        "delete_many": WhereSerializer,
        **dict.fromkeys(("create", "update", "partial_update"), RecordSerializer),
        **dict.fromkeys(("add_many", "replace_many", "change_many"), ItemsSerializer),
    }
    queries = {
        "list": ListQuery,
        "retrieve": OneQuery,
        **dict.fromkeys(
            (
                "search",
                "create",
                "update",
                "partial_update",
                "destroy",
                "add_many",
                "replace_many",
                "change_many",
                "delete_many",
            ),
            SourceQuery,
        ),
    }
    pages = frozenset()

    def opened(self) -> tuple[Store, TableDef]:
        """The store of the workspace in the URL, with the data asked for, and the table. Problem `NOT_FOUND`."""
        schema = load_schema(self.workspace().pk, self.query["data_source"])
        table = schema.tables.get(self.kwargs["table"])
        if table is None:
            raise Problem("NOT_FOUND", f'There is no table "{self.kwargs["table"]}".')
        return Store(schema), table

    def data(self) -> dict[str, Any]:
        """The record in the body. Problem `INVALID_INPUT` when it is none."""
        data = read_json(self.request._request)
        if not isinstance(data, dict):
            raise invalid_input([Detail("", "type", "expected an object with the record's fields")])
        return data

    def list(self, request: Request, workspace: str, table: str) -> Response:
        """List records: a page, filtered and sorted."""
        store, found = self.opened()
        asked = {name: value for name, value in self.query.items() if name != "data_source"}
        if "where" in asked:
            asked["where"] = parse_json(asked["where"].encode())
        if "fields" in asked:
            asked["fields"] = _names(asked["fields"])
        return Response(store.query(_query(found, asked)))

    def search(self, request: Request, workspace: str, table: str) -> Response:
        """Ask for records with everything the where language has."""
        store, found = self.opened()
        return Response(store.query(_query(found, self.body())))

    def create(self, request: Request, workspace: str, table: str) -> Response:
        """Add a record."""
        store, found = self.opened()
        return Response(store.add(found, self.data()), status=201)

    def retrieve(self, request: Request, workspace: str, table: str, record: int) -> Response:
        """Show a record."""
        store, found = self.opened()
        fields = _names(self.query["fields"]) if "fields" in self.query else None
        held = store.get(found, record, fields=fields)
        if held is None:
            raise Problem("NOT_FOUND", f"There is no record of {found.name} with id {record}.")
        return Response(held)

    def update(self, request: Request, workspace: str, table: str, record: int) -> Response:
        """Replace a record: fields that are left out get their default or null."""
        store, found = self.opened()
        return Response(store.edit(found, record, self.data()))

    def partial_update(self, request: Request, workspace: str, table: str, record: int) -> Response:
        """Change the fields that are sent."""
        store, found = self.opened()
        return Response(store.patch(found, record, self.data()))

    def destroy(self, request: Request, workspace: str, table: str, record: int) -> Response:
        """Delete a record, and do to those that refer to it what their `on_delete` says."""
        store, found = self.opened()
        store.delete(found, record)
        return Response(status=204)

    def add_many(self, request: Request, workspace: str, table: str) -> Response:
        """Add records, all or none."""
        store, found = self.opened()
        return Response({"items": store.add_many(found, self.body()["items"])})

    def replace_many(self, request: Request, workspace: str, table: str) -> Response:
        """Replace records by their ids, all or none."""
        store, found = self.opened()
        return Response({"items": store.edit_many(found, self.body()["items"])})

    def change_many(self, request: Request, workspace: str, table: str) -> Response:
        """Change records by their ids, all or none."""
        store, found = self.opened()
        return Response({"items": store.patch_many(found, self.body()["items"])})

    def delete_many(self, request: Request, workspace: str, table: str) -> Response:
        """Delete every record that meets the conditions."""
        store, found = self.opened()
        return Response({"deleted": store.delete_many(found, self.body()["where"])})


def _query(table: TableDef, asked: dict[str, Any]) -> Query:
    """What was asked as a Query; the store checks every part of it. Lists of records are always pages."""
    parts = {name: asked[name] for name in _ASKED if name in asked}
    return_ = asked.get("return", "list")
    if return_ == "list" and not parts.get("group_by") and not parts.get("aggregate"):
        parts.setdefault("per_page", PER_PAGE)
    return Query(table=table.name, return_=return_, **parts)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


_RECORDS = f"{TABLE}/records"

urlpatterns = [
    route(_RECORDS, RecordViewSet, get="list", post="create"),
    route(f"{_RECORDS}/search", RecordViewSet, post="search"),
    route(f"{_RECORDS}/bulk", RecordViewSet, post="add_many", put="replace_many", patch="change_many"),
    route(f"{_RECORDS}/bulk/delete", RecordViewSet, post="delete_many"),
    route(
        f"{_RECORDS}/<int:record>",
        RecordViewSet,
        get="retrieve",
        put="update",
        patch="partial_update",
        delete="destroy",
    ),
]
