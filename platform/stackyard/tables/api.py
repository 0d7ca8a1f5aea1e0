"""Tables, fields, indexes and the catalogue of field types in the management API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.errors import Detail, invalid_input
from stackyard.core.meta.bodies import read_json
from stackyard.core.meta.serializers import AnyJSON, FieldsKey, Flag, Moment, StrictSerializer, Text
from stackyard.core.meta.views import MetaViewSet, find, route
from stackyard.runs.api import ProgressSerializer
from stackyard.runs.progress import progress_value

from . import changes
from .field_type import FieldType
from .indexing import build_run
from .models import Field, Index, Table
from .specs import field_spec, index_spec

_LAST_POSITION = 10_000


class TableSerializer(FieldsKey, serializers.Serializer[Any]):
    """A table with its fields and indexes, as files spell them."""

    name = serializers.CharField()
    description = serializers.CharField()
    created_at = Moment()
    fields_ = serializers.DictField(help_text="Name → type, or a map with `type` and options.")
    indexes = serializers.ListField(child=serializers.DictField())

    def to_representation(self, instance: Table) -> dict[str, Any]:
        """The table as JSON."""
        fields = instance.fields.filter(hidden_at=None)
        indexes = instance.indexes.filter(hidden_at=None)
        return {
            "name": instance.name,
            "description": instance.description,
            "created_at": instance.created_at,
            "fields": {field.name: field_spec(field) for field in fields},
            "indexes": [shown_index(index) for index in indexes],
        }


class NewTableSerializer(FieldsKey, StrictSerializer):
    """A table to make. `id` and `created_at` are there by themselves."""

    name = Text(max_length=63)
    description = Text(required=False, allow_blank=True, default="")
    fields_ = serializers.DictField(required=False, default=dict)
    indexes = serializers.ListField(child=AnyJSON(), required=False, default=list, max_length=100)


class TableChangeSerializer(StrictSerializer):
    """Another name or description."""

    name = Text(max_length=63, required=False)
    description = Text(required=False, allow_blank=True)


class TableBase(MetaViewSet):
    """What every resource of a table needs."""

    def tables(self) -> Any:
        """The tables of the workspace in the URL that people can see."""
        return self.workspace().tables.filter(hidden_at=None).select_related("workspace")

    def table(self) -> Table:
        """The table that the URL names. Problem `NOT_FOUND`."""
        found: Table = find(self.tables(), "table", name=self.kwargs["table"])
        return found


class TableViewSet(TableBase):
    """The workspace's tables."""

    noun, tag, model = "table", "tables", Table
    shows = TableSerializer
    bodies = {"create": NewTableSerializer, "partial_update": TableChangeSerializer}

    def list(self, request: Request, workspace: str) -> Response:
        """List the tables by name."""
        return self.listed(self.tables())

    def create(self, request: Request, workspace: str) -> Response:
        """Make a table with its fields and indexes."""
        owner, asked = self.workspace(), self.body()
        return self.shown(changes.create_table(owner, asked.pop("name"), **asked), status=201)

    def retrieve(self, request: Request, workspace: str, table: str) -> Response:
        """Show a table."""
        return self.shown(self.table())

    def partial_update(self, request: Request, workspace: str, table: str) -> Response:
        """Give a table another name or description. Stacks that name it by its old name must be changed."""
        found, asked = self.table(), self.body(partial=True)
        with transaction.atomic():
            if "description" in asked:
                changes.edit_table(found, description=asked["description"])
            if "name" in asked:
                changes.rename_table(found, asked["name"])
        return self.shown(found)

    def destroy(self, request: Request, workspace: str, table: str) -> Response:
        """Take a table away. Refused while a field of another table refers to it."""
        changes.hide_table(self.table())
        return Response(status=204)


class FieldSerializer(serializers.Serializer[Any]):
    """A field: its type, its rules, and the options of its type beside them."""

    name = serializers.CharField()
    type = serializers.CharField(help_text="See the catalogue of field types.")
    required = serializers.BooleanField(required=False)  # type: ignore[assignment]
    unique = serializers.BooleanField(required=False)
    default = AnyJSON(required=False)
    access = serializers.ChoiceField(choices=["public", "private", "internal"], required=False)
    description = serializers.CharField(required=False)
    position = serializers.IntegerField(required=False, min_value=0, max_value=_LAST_POSITION)

    def to_representation(self, instance: Field) -> dict[str, Any]:
        """The field as files spell it, with its name and position."""
        spec = field_spec(instance)
        plain = {"type": spec} if isinstance(spec, str) else spec
        return {"name": instance.name, **plain, "position": instance.position}


class FieldViewSet(TableBase):
    """The fields of a table but `id` and `created_at`."""

    noun, tag, model = "field", "fields", Field
    shows = FieldSerializer
    bodies = {"create": FieldSerializer, "partial_update": FieldSerializer}

    def fields(self) -> Any:
        """The fields of the table in the URL that people can see."""
        return self.table().fields.filter(hidden_at=None).select_related("table__workspace")

    def field(self) -> Field:
        """The field that the URL names. Problem `NOT_FOUND`."""
        found: Field = find(self.fields(), "field", name=self.kwargs["field"])
        return found

    def list(self, request: Request, workspace: str, table: str) -> Response:
        """List the fields in their order."""
        return self.listed(self.fields())

    def create(self, request: Request, workspace: str, table: str) -> Response:
        """Add a field. Records that are there get its default where it is required."""
        owner, asked = self.table(), read_spec(read_json(self.request._request))
        return self.shown(changes.add_field(owner, asked.pop("name", None), asked), status=201)

    def retrieve(self, request: Request, workspace: str, table: str, field: str) -> Response:
        """Show a field."""
        return self.shown(self.field())

    def partial_update(self, request: Request, workspace: str, table: str, field: str) -> Response:
        """Change a field's name, rules or options; null takes an option back."""
        found, asked = self.field(), read_spec(read_json(self.request._request))
        name = asked.pop("name", found.name)
        if name == found.name:
            return self.shown(changes.edit_field(found, **asked) if asked else found)
        with transaction.atomic():
            renamed = changes.rename_field(found, name)
            return self.shown(changes.edit_field(renamed, **asked) if asked else renamed)

    def destroy(self, request: Request, workspace: str, table: str, field: str) -> Response:
        """Take a field away, and the indexes it is part of."""
        changes.hide_field(self.field())
        return Response(status=204)


def read_spec(data: Any) -> dict[str, Any]:
    """A field as it was sent. Which options there are depends on its type, so `changes` checks them."""
    if not isinstance(data, dict):
        raise invalid_input([Detail("", "type", "expected an object with name, type and options")])
    faults = []
    if "field" in data:
        faults.append(Detail("field", "unknown_key", 'A field has no option "field".'))
    position = data.get("position", 0)
    if not isinstance(position, int) or isinstance(position, bool) or not 0 <= position <= _LAST_POSITION:
        faults.append(Detail("position", "range", f"expected a whole number from 0 to {_LAST_POSITION:,}"))
    if faults:
        raise invalid_input(faults)
    return dict(data)


class IndexSerializer(FieldsKey, serializers.Serializer[Any]):
    """An index over fields; `-name` sorts that field downwards."""

    id = serializers.IntegerField()
    fields_ = serializers.ListField(child=serializers.CharField())
    unique = serializers.BooleanField()
    built_at = Moment(allow_null=True, help_text="Null while it is being built; until then nothing reads it.")
    run = serializers.UUIDField(allow_null=True, help_text="The run that builds it; cancel it as any run.")
    progress = ProgressSerializer(allow_null=True)

    def to_representation(self, instance: Index) -> dict[str, Any]:
        """The index as JSON."""
        return shown_index(instance)


def shown_index(index: Index) -> dict[str, Any]:
    """An index as files spell it, with its id, and how far it is while it is being built."""
    run = build_run(index)
    return {
        "id": index.pk,
        "unique": False,
        **index_spec(index),
        "built_at": index.built_at,
        "run": None if run is None else str(run.pk),
        "progress": None if run is None else progress_value(run),
    }


class NewIndexSerializer(FieldsKey, StrictSerializer):
    """An index to build."""

    fields_ = serializers.ListField(child=Text(max_length=64), min_length=1, max_length=32)
    unique = Flag(required=False, default=False)


class IndexViewSet(TableBase):
    """The indexes of a table."""

    noun, tag, model = "index", "indexes", Index
    shows = IndexSerializer
    bodies = {"create": NewIndexSerializer}

    def indexes(self) -> Any:
        """The indexes of the table in the URL."""
        return self.table().indexes.filter(hidden_at=None).select_related("table")

    def list(self, request: Request, workspace: str, table: str) -> Response:
        """List the indexes."""
        return self.listed(self.indexes())

    def create(self, request: Request, workspace: str, table: str) -> Response:
        """Build an index: 201 where that was done at once, 202 on a large table, with the run that builds it.

        A unique one is refused, by the answer or by the run's error, while records hold the same values twice.
        """
        owner, asked = self.table(), self.body()
        index = changes.add_index(owner, asked["fields"], asked["unique"], principal=self.principal)
        return self.shown(index, status=201 if index.built_at else 202)

    def destroy(self, request: Request, workspace: str, table: str, index: int) -> Response:
        """Drop an index, or stop building it."""
        found: Index = find(self.indexes(), "index", pk=index)
        changes.hide_index(found)
        return Response(status=204)


class FieldTypeSerializer(serializers.Serializer[Any]):
    """A field type with the options it takes and the conditions that can be asked of it."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    description = serializers.CharField()
    options = serializers.DictField()
    operators = serializers.ListField(child=serializers.CharField())
    can_be_unique = serializers.BooleanField()
    can_be_nested = serializers.BooleanField()

    def to_representation(self, instance: type[FieldType]) -> dict[str, Any]:
        """The type as JSON, from its class."""
        return {
            "name": instance.name,
            "label": instance.label,
            "description": instance.description(),
            "options": {name: _option(option) for name, option in instance.option_spec.items()},
            "operators": sorted(instance.operators),
            "can_be_unique": instance.can_be_unique,
            "can_be_nested": instance.can_be_nested,
        }


def _option(option: Any) -> Mapping[str, Any]:
    return {
        "kind": option.kind,
        "help": option.help,
        "default": option.default,
        "least": option.least,
        "most": option.most,
        "fixed": option.fixed,
        "choices": list(option.choices),
    }


class FieldTypeViewSet(MetaViewSet):
    """Every field type there is, the same for all workspaces."""

    noun, tag = "field type", "field types"
    shows = FieldTypeSerializer

    def list(self, request: Request) -> Response:
        """List the field types by name."""
        return self.listed([FieldType.get(name) for name in sorted(FieldType.all())])


_TABLES = "workspaces/<str:workspace>/tables"
TABLE = f"{_TABLES}/<str:table>"

urlpatterns = [
    route(_TABLES, TableViewSet, get="list", post="create"),
    route(TABLE, TableViewSet, get="retrieve", patch="partial_update", delete="destroy"),
    route(f"{TABLE}/fields", FieldViewSet, get="list", post="create"),
    route(
        f"{TABLE}/fields/<str:field>",
        FieldViewSet,
        get="retrieve",
        patch="partial_update",
        delete="destroy",
    ),
    route(f"{TABLE}/indexes", IndexViewSet, get="list", post="create"),
    route(f"{TABLE}/indexes/<int:index>", IndexViewSet, delete="destroy"),
    route("field-types", FieldTypeViewSet, get="list"),
]
