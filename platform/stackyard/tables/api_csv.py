"""CSV in and out in the management API: upload, look, import as a run, export."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import FileResponse, StreamingHttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.body import body_blocks
from stackyard.core.data_source import LIVE, SOURCES
from stackyard.core.errors import Problem
from stackyard.core.limits import IMPORT_BYTES
from stackyard.core.meta.data_source import SourceQuery
from stackyard.core.meta.serializers import AnyJSON, FieldsKey, StrictSerializer, Text
from stackyard.core.meta.views import MetaViewSet, find, route
from stackyard.runs.api import RunSerializer
from stackyard.runs.models import Run

from .api import TABLE, TableBase
from .export import export_csv
from .imports import uploads
from .imports.plan import KIND, Options, look, start_import
from .models import Table
from .schema import load_schema
from .store import Store

CSV_TYPES = ("", "text/csv", "text/plain", "application/csv", "application/octet-stream")


class LookQuery(StrictSerializer):
    """How to read the file; what is left out is found by itself."""

    table = Text(
        required=False, max_length=63, help_text="The table whose fields the columns are matched with."
    )
    encoding = Text(required=False, max_length=40)
    delimiter = Text(required=False, max_length=1, trim_whitespace=False)


class SeenSerializer(FieldsKey, serializers.Serializer[Any]):
    """What a file holds, and what an import of it would do."""

    file = serializers.CharField(help_text="The name to import it by, within a week.")
    bytes = serializers.IntegerField()
    encoding = serializers.CharField()
    delimiter = serializers.CharField()
    headers = serializers.ListField(child=serializers.CharField())
    columns = serializers.ListField(
        child=serializers.CharField(allow_null=True), help_text="The field for each column; null: left out."
    )
    fields_ = serializers.DictField(help_text="The fields of a new table, with the types that were found.")
    rows = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        """As it is."""
        return instance


class TableOfImport(FieldsKey, StrictSerializer):
    """A table to make for the file."""

    name = Text(max_length=63)
    fields_ = serializers.DictField(required=False, help_text="Those that were found, when left out.")


class ImportStartSerializer(StrictSerializer):
    """Where a file goes. One of `table` and `new_table`."""

    table = Text(required=False, max_length=63)
    new_table = TableOfImport(required=False)
    columns = AnyJSON(
        required=False, help_text="A field name or null for each column; matched by name when left out."
    )
    encoding = Text(required=False, max_length=40)
    delimiter = Text(required=False, max_length=1, trim_whitespace=False)
    mode = serializers.ChoiceField(choices=["insert", "upsert"], default="insert")
    data_source = serializers.ChoiceField(choices=list(SOURCES), default=LIVE)
    key = Text(
        required=False, max_length=63, help_text="With `upsert`: the unique field that tells a record."
    )


class ImportViewSet(MetaViewSet):
    """CSV files on their way into tables."""

    noun, tag, model = "import", "imports", Table
    shows = SeenSerializer
    answers = {"start": RunSerializer, "rejects": None}
    bodies = {"start": ImportStartSerializer}
    queries = {"create": LookQuery, "retrieve": LookQuery}
    rights = {"start": "add"}
    pages = frozenset()

    def create(self, request: Request, workspace: str) -> Response:
        """Upload a CSV file as the request's body, and see what it holds. Nothing is imported yet."""
        owner = self.workspace()
        django = request._request
        kind = django.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        if kind not in CSV_TYPES:
            raise Problem(
                "UNSUPPORTED_MEDIA_TYPE",
                f'The media type "{kind[:80]}" is not taken here.',
                suggestion="Send the file itself as text/csv.",
            )
        file = uploads.keep(owner.pk, body_blocks(django.META, IMPORT_BYTES.default))
        try:
            return self.shown(self._look(file), status=201)
        except Problem:
            uploads.forget(owner.pk, file)
            raise

    def retrieve(self, request: Request, workspace: str, file: str) -> Response:
        """See once more what a file holds, read in another way or for another table."""
        return self.shown(self._look(file))

    def _look(self, file: str) -> dict[str, Any]:
        asked = dict(self.query)
        table = asked.pop("table", None)
        return look(self.workspace(), Options(file, **asked), table)

    def start(self, request: Request, workspace: str, file: str) -> Response:
        """Import a file into a table, as a run: see its progress, cancel it, read its result there."""
        asked = self.body()
        columns = asked.get("columns")
        is_list = isinstance(columns, list) and all(item is None or isinstance(item, str) for item in columns)
        if columns is not None and not is_list:
            raise Problem("INVALID_INPUT", "columns: expected a list of field names and nulls.")
        if ("table" in asked) == ("new_table" in asked):
            raise Problem("INVALID_INPUT", "Say where the file goes: table or new_table.")
        table, new_table = asked.pop("table", None), asked.pop("new_table", None)
        source = asked.pop("data_source")
        run = start_import(
            self.workspace(),
            Options(file, **asked),
            table=table,
            new_table=new_table,
            principal=self.principal,
            data_source=source,
        )
        return self.shown(run, status=202)

    def rejects(self, request: Request, workspace: str, run: uuid.UUID) -> Any:
        """The rows that an import refused, as CSV: line, column, value, reason."""
        owner = self.workspace()
        found = find(Run.objects.filter(workspace=owner, kind=KIND), "import", pk=run)
        path = uploads.rejects_path(owner.pk, str(found.pk))
        if not path.exists():
            raise Problem("NOT_FOUND", "This import has refused no row, or it was too long ago.")
        return FileResponse(path.open("rb"), content_type="text/csv; charset=utf-8")


class ExportQuery(SourceQuery):
    """What goes into the file."""

    private = serializers.BooleanField(default=False, help_text="The private and internal fields too.")
    guard = serializers.BooleanField(
        default=False, help_text="An apostrophe before texts that a spreadsheet would run as a formula."
    )


class ExportViewSet(TableBase):
    """A table as CSV."""

    noun, tag, model = "export", "imports", Table
    shows = None
    queries = {"retrieve": ExportQuery}

    def retrieve(self, request: Request, workspace: str, table: str) -> Any:
        """The records by id as CSV, streamed."""
        found = self.table()
        asked = dict(self.query)
        schema = load_schema(found.workspace_id, asked.pop("data_source"))
        lines = export_csv(Store(schema), schema.table(found.name), **asked)
        answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{found.name}.csv"'
        return answer


_IMPORTS = "workspaces/<str:workspace>/imports"

urlpatterns = [
    route(_IMPORTS, ImportViewSet, post="create"),
    route(f"{_IMPORTS}/<uuid:run>/rejects", ImportViewSet, get="rejects"),
    route(f"{_IMPORTS}/<str:file>", ImportViewSet, get="retrieve"),
    route(f"{_IMPORTS}/<str:file>/start", ImportViewSet, post="start"),
    route(f"{TABLE}/export", ExportViewSet, get="retrieve"),
]
