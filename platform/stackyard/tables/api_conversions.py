"""A field's change of type, and what was dropped, in the management API."""

from __future__ import annotations

import uuid
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.meta.bodies import read_json
from stackyard.core.meta.lists import PageQuery
from stackyard.core.meta.serializers import Moment
from stackyard.core.meta.views import MetaViewSet, find, route
from stackyard.runs.api import RunSerializer
from stackyard.runs.models import Run

from .api import TABLE, FieldSerializer, FieldViewSet, read_spec
from .conversions.planning import Plan, plan_retype
from .conversions.starting import retype
from .dropping import KIND, dropped, restore
from .models import Field, Table


class RetypeSerializer(serializers.Serializer[Any]):
    """The type the field is to have, with its options beside it."""

    type = serializers.CharField()
    on_bad = serializers.ChoiceField(
        choices=["refuse", "null", "default"],
        required=False,
        help_text="What becomes of cells that can't be converted. `refuse` (the default) takes the change back.",
    )
    default = serializers.JSONField(required=False, allow_null=True)


class BadCellSerializer(serializers.Serializer[Any]):
    """A cell that can't be converted."""

    id = serializers.IntegerField()
    value = serializers.CharField()
    reason = serializers.CharField()


class PlanSerializer(serializers.Serializer[Any]):
    """What would happen."""

    changes_type = serializers.BooleanField(help_text="False: only rules change, and no cell is touched.")
    records = serializers.IntegerField()
    checked = serializers.IntegerField(help_text="How many of them were looked at.")
    is_whole = serializers.BooleanField()
    converts = serializers.IntegerField()
    empty = serializers.IntegerField()
    refused = serializers.IntegerField()
    bad = BadCellSerializer(many=True)
    at_once = serializers.BooleanField(
        help_text="Whether it is done in the request; otherwise it becomes a run."
    )
    steps = serializers.ListField(child=serializers.CharField())

    def to_representation(self, instance: Plan) -> dict[str, Any]:
        """The plan as JSON."""
        return {str(name): getattr(instance, str(name)) for name in self.fields}


class RetypeViewSet(FieldViewSet):
    """A field's change of type."""

    noun, tag, model = "field type change", "fields", Field
    shows = FieldSerializer
    answers = {"check": PlanSerializer}
    bodies = {"check": RetypeSerializer, "retype": RetypeSerializer}
    rights = {"check": "view", "retype": "change"}

    def check(self, request: Request, workspace: str, table: str, field: str) -> Response:
        """Say what a change of type would do, and change nothing."""
        found, asked = self.field(), read_spec(read_json(self.request._request))
        on_bad = asked.pop("on_bad", "refuse")
        return self.shown(plan_retype(found, asked, on_bad))

    def retype(self, request: Request, workspace: str, table: str, field: str) -> Response:
        """Change a field's type: 200 with the field where that was done at once, 202 with the run on a large table."""
        found, asked = self.field(), read_spec(read_json(self.request._request))
        on_bad = asked.pop("on_bad", "refuse")
        run = retype(found, asked, on_bad=on_bad, principal=self.principal)
        if run is not None:
            return Response(RunSerializer(run).data, status=202)
        return self.shown(self.field())


class DroppedSerializer(serializers.Serializer[Any]):
    """A table or field that was dropped and can be had back."""

    id = serializers.UUIDField()
    name = serializers.CharField(help_text="`table` or `table.field`.")
    kind = serializers.CharField()
    dropped_at = Moment()
    gone_at = Moment()

    def to_representation(self, instance: Run) -> dict[str, Any]:
        """The drop as JSON."""
        return {
            "id": str(instance.pk),
            "name": instance.target_name,
            "kind": "table" if instance.input["field"] is None else "field",
            "dropped_at": instance.created_at,
            "gone_at": instance.run_after,
        }


class DroppedViewSet(MetaViewSet):
    """What was dropped and is not gone yet."""

    noun, tag, model = "dropped", "dropped", Table
    shows = DroppedSerializer
    queries = {"list": PageQuery}
    rights = {"restore": "change"}

    def list(self, request: Request, workspace: str) -> Response:
        """List the tables and fields that can be had back, newest first."""
        return self.listed(dropped(self.workspace()))

    def restore(self, request: Request, workspace: str, run: uuid.UUID) -> Response:
        """Have a table or field back, with its values. Indexes that a field was part of are to be made anew."""
        found = find(Run.objects.filter(workspace=self.workspace(), kind=KIND), "dropped", pk=run)
        restore(found)
        return Response(status=204)


_DROPPED = "workspaces/<str:workspace>/dropped"
_FIELD = f"{TABLE}/fields/<str:field>"

urlpatterns = [
    route(f"{_FIELD}/retype/check", RetypeViewSet, post="check"),
    route(f"{_FIELD}/retype", RetypeViewSet, post="retype"),
    route(_DROPPED, DroppedViewSet, get="list"),
    route(f"{_DROPPED}/<uuid:run>/restore", DroppedViewSet, post="restore"),
]
