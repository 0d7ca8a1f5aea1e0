"""The request history in the management API: filtered, newest first, paged by cursor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.errors import Problem
from stackyard.core.jsonout import iso, milliseconds
from stackyard.core.limits import PAGE_RECORDS
from stackyard.core.meta.serializers import Moment, StrictSerializer
from stackyard.core.meta.views import MetaViewSet, find, route
from stackyard.core.models import Workspace

from .models import Endpoint, HistoryEntry

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
_BODIES = ("request_headers", "request_body", "response_body")


class HistoryQuery(StrictSerializer):
    """Which calls. All conditions must hold."""

    group = serializers.CharField(required=False, help_text="The name of an API group.")
    endpoint = serializers.CharField(required=False, help_text="The name of an endpoint of `group`.")
    method = serializers.ChoiceField(choices=_METHODS, required=False)
    status = serializers.IntegerField(required=False, min_value=100, max_value=599)
    failed = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Status ≥ 400."
    )
    request_id = serializers.CharField(required=False)
    since = Moment(required=False)
    until = Moment(required=False)
    per_page = serializers.IntegerField(min_value=1, max_value=PAGE_RECORDS.maximum, default=20)
    cursor = serializers.IntegerField(
        required=False, min_value=1, max_value=2**62, help_text="`nextCursor` of the page before."
    )


class CallSerializer(serializers.Serializer[Any]):
    """One call of an endpoint."""

    id = serializers.IntegerField()
    created_at = Moment()
    request_id = serializers.CharField()
    method = serializers.CharField()
    path = serializers.CharField()
    query = serializers.CharField()
    status = serializers.IntegerField()
    error_code = serializers.CharField()
    milliseconds = serializers.FloatField()
    principal = serializers.CharField()
    address = serializers.CharField()
    group_id = serializers.IntegerField()
    endpoint_id = serializers.IntegerField()
    revision_id = serializers.IntegerField(allow_null=True)
    request_bytes = serializers.IntegerField()
    response_bytes = serializers.IntegerField()

    def to_representation(self, instance: HistoryEntry) -> dict[str, Any]:
        """The call without its bodies."""
        plain = [str(name) for name in self.fields if name not in ("created_at", "milliseconds")]
        return {
            **{name: getattr(instance, name) for name in plain},
            "created_at": iso(datetime.fromtimestamp(instance.created_at / 1000, UTC)),
            "milliseconds": round(instance.duration_us / 1000, 3),
        }


class WholeCallSerializer(CallSerializer):
    """One call with headers and bodies, as they were kept (secrets masked, long ones cut)."""

    request_headers = serializers.CharField()
    request_body = serializers.CharField()
    response_body = serializers.CharField()


class CallsSerializer(serializers.Serializer[Any]):
    """A page of the history; `nextCursor` is null at its end."""

    itemsReceived = serializers.IntegerField()
    perPage = serializers.IntegerField()
    nextCursor = serializers.IntegerField(allow_null=True)
    items = CallSerializer(many=True)


class HistoryViewSet(MetaViewSet):
    """The calls of the workspace's endpoints."""

    noun, tag, model = "call", "request history", HistoryEntry
    shows = WholeCallSerializer
    answers = {"list": CallsSerializer}
    queries = {"list": HistoryQuery}
    pages = frozenset()

    def list(self, request: Request, workspace: str) -> Response:
        """List calls, newest first."""
        asked = self.query
        found = list(self._found(self.workspace()).defer(*_BODIES)[: asked["per_page"] + 1])
        items = found[: asked["per_page"]]
        return Response(
            {
                "itemsReceived": len(items),
                "perPage": asked["per_page"],
                "nextCursor": items[-1].pk if len(found) > len(items) else None,
                "items": [CallSerializer(entry).data for entry in items],
            }
        )

    def retrieve(self, request: Request, workspace: str, call: int) -> Response:
        """Show a call with headers and bodies."""
        entries = HistoryEntry.objects.filter(workspace_id=self.workspace().pk)
        return self.shown(find(entries, "call", pk=call))

    def _found(self, workspace: Workspace) -> QuerySet[HistoryEntry]:
        """The entries asked for, newest first. Problem `INVALID_INPUT` for a group or endpoint that is not there."""
        asked = self.query
        entries = HistoryEntry.objects.filter(workspace_id=workspace.pk, **self._owners(workspace))
        for name in ("method", "status", "request_id"):
            if name in asked:
                entries = entries.filter(**{name: asked[name]})
        if asked["failed"] is not None:
            entries = entries.filter(status__gte=400) if asked["failed"] else entries.filter(status__lt=400)
        if "since" in asked:
            entries = entries.filter(created_at__gte=milliseconds(asked["since"]))
        if "until" in asked:
            entries = entries.filter(created_at__lt=milliseconds(asked["until"]))
        if "cursor" in asked:
            entries = entries.filter(pk__lt=asked["cursor"])
        return entries.order_by("-pk")

    def _owners(self, workspace: Workspace) -> dict[str, int]:
        """The ids of the group and endpoint asked for; history lives in a database of its own."""
        asked = self.query
        if "group" not in asked:
            if "endpoint" in asked:
                raise Problem("INVALID_INPUT", "endpoint: name the group as well")
            return {}
        group = find(workspace.api_groups.all(), "API group", name=asked["group"])
        if "endpoint" not in asked:
            return {"group_id": group.pk}
        endpoint: Endpoint = find(group.endpoints.all(), "endpoint", name=asked["endpoint"])
        return {"endpoint_id": endpoint.pk}


_CALLS = "workspaces/<str:workspace>/history"

urlpatterns = [
    route(_CALLS, HistoryViewSet, get="list"),
    route(f"{_CALLS}/<int:call>", HistoryViewSet, get="retrieve"),
]
