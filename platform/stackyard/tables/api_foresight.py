"""What a new field, or a change of one, would do to records and readers, in the management API: told, and nothing done."""

from __future__ import annotations

from dataclasses import fields as parts_of
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.errors import Detail, invalid_input
from stackyard.core.meta.bodies import read_json
from stackyard.core.meta.views import route
from stackyard.core.names import name_rule

from .api import TABLE, FieldSerializer, FieldViewSet, read_spec
from .field_type import shown
from .foresight import Change, Outlook, what_will_happen
from .models import Field


class BadValueSerializer(serializers.Serializer[Any]):
    """A value that does not fit, and records that hold it."""

    ids = serializers.ListField(child=serializers.IntegerField())
    value = serializers.CharField()
    reason = serializers.CharField()


class ReaderSerializer(serializers.Serializer[Any]):
    """What uses the table of the field."""

    kind = serializers.CharField(help_text="`endpoint`, `function` or `lambda`.")
    name = serializers.CharField()
    names_it = serializers.BooleanField(
        help_text="Whether it names the field. What does not may still give out whole records."
    )


class OutlookSerializer(serializers.Serializer[Any]):
    """What would happen."""

    records = serializers.IntegerField()
    stopped = serializers.CharField(help_text="Why it can't be done as things are; empty when it can.")
    steps = serializers.ListField(child=serializers.CharField())
    refused = serializers.IntegerField(help_text="How many values don't fit.")
    bad = BadValueSerializer(many=True, help_text="Up to five of them.")
    at_once = serializers.BooleanField(
        help_text="Whether it is done in the request; otherwise it becomes a run."
    )
    seconds = serializers.FloatField(help_text="Roughly how long it takes.")
    readers = ReaderSerializer(many=True)

    def to_representation(self, instance: Outlook) -> dict[str, Any]:
        """The outlook as JSON."""
        told = {part.name: getattr(instance, part.name) for part in parts_of(instance)}
        readers = [{"kind": one.kind, "name": one.name, "names_it": one.names_it} for one in instance.readers]
        return {**told, "readers": readers}


class ForesightViewSet(FieldViewSet):
    """Looks at the records before a field is added, changed or taken away. A change of type: `retype/check`."""

    noun, tag, model = "field change", "fields", Field
    answers = dict.fromkeys(("check_new", "check_change", "check_removal"), OutlookSerializer)
    bodies = {"check_new": FieldSerializer, "check_change": FieldSerializer}
    rights = {"check_new": "view", "check_change": "view", "check_removal": "view"}

    def check_new(self, request: Request, workspace: str, table: str) -> Response:
        """Say what adding a field would do, and change nothing."""
        owner, asked = self.table(), read_spec(read_json(self.request._request))
        name = asked.pop("name", None)
        return self.shown(what_will_happen(Change("add", owner, name=name, spec=asked)))

    def check_change(self, request: Request, workspace: str, table: str, field: str) -> Response:
        """Say what a change of a field's name, rules or options would do, and change nothing."""
        found, asked = self.field(), read_spec(read_json(self.request._request))
        name = asked.pop("name", found.name)
        if not name or not isinstance(name, str):
            raise invalid_input([Detail("name", "name", f"{shown(name)} is not a name. {name_rule()}")])
        return self.shown(what_will_happen(Change("edit", found.table, field=found, name=name, spec=asked)))

    def check_removal(self, request: Request, workspace: str, table: str, field: str) -> Response:
        """Say what taking a field away would do, and change nothing."""
        found = self.field()
        return self.shown(what_will_happen(Change("hide", found.table, field=found)))


_FIELD = f"{TABLE}/fields/<str:field>"

urlpatterns = [
    # Not below `fields/`, where it would be the address of a field named "check".
    route(f"{TABLE}/new-field/check", ForesightViewSet, post="check_new"),
    route(f"{_FIELD}/check", ForesightViewSet, post="check_change"),
    route(f"{_FIELD}/removal/check", ForesightViewSet, post="check_removal"),
]
