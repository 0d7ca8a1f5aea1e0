"""The request history in the management API: filtered, newest first, paged by cursor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.errors import Problem
from stackyard.core.jsonout import iso, milliseconds
from stackyard.core.limits import PAGE_RECORDS
from stackyard.core.meta.serializers import Moment, StrictSerializer
from stackyard.core.meta.views import MetaViewSet, find, route
from stackyard.core.models import Workspace

from .history_curl import curl_of
from .history_search import Wanted, search
from .models import Endpoint, HistoryEntry

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


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
    text = serializers.CharField(required=False, max_length=200, help_text="Text in the path.")
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
    data_source = serializers.CharField()
    address = serializers.CharField()
    group_id = serializers.IntegerField()
    endpoint_id = serializers.IntegerField()
    revision_id = serializers.IntegerField(allow_null=True)
    request_bytes = serializers.IntegerField()
    response_bytes = serializers.IntegerField()

    def to_representation(self, instance: HistoryEntry) -> dict[str, Any]:
        """The call without its bodies."""
        plain = [
            str(name)
            for name in CallSerializer._declared_fields
            if name not in ("created_at", "milliseconds")
        ]
        return {
            **{name: getattr(instance, name) for name in plain},
            "created_at": iso(datetime.fromtimestamp(instance.created_at / 1000, UTC)),
            "milliseconds": round(instance.duration_us / 1000, 3),
        }


class WholeCallSerializer(CallSerializer):
    """One call with headers and bodies, as they were kept (secrets masked, long ones cut), the curl line that sends it
    again, and what each line of the stack did where the endpoint keeps that (`trace: true`).
    """

    request_headers = serializers.CharField()
    request_body = serializers.CharField()
    response_body = serializers.CharField()
    curl = serializers.CharField()
    trace = serializers.ListField(child=serializers.DictField(), allow_null=True)

    def to_representation(self, instance: HistoryEntry) -> dict[str, Any]:
        """The call with everything that was kept of it."""
        bodies = {
            name: getattr(instance, name) for name in ("request_headers", "request_body", "response_body")
        }
        trace = orjson.loads(instance.trace) if instance.trace else None
        return {**super().to_representation(instance), **bodies, "curl": curl_of(instance), "trace": trace}


class CallsSerializer(serializers.Serializer[Any]):
    """A page of the history; `nextCursor` is null at its end.

    Looking for what is rare takes time: after 0.2 seconds a page ends short, or empty, and `nextCursor` goes on.
    """

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
        items, following = search(self._wanted(self.workspace()), asked["per_page"], asked.get("cursor"))
        return Response(
            {
                "itemsReceived": len(items),
                "perPage": asked["per_page"],
                "nextCursor": following,
                "items": [CallSerializer(entry).data for entry in items],
            }
        )

    def retrieve(self, request: Request, workspace: str, call: int) -> Response:
        """Show a call with headers and bodies."""
        entries = HistoryEntry.objects.filter(workspace_id=self.workspace().pk)
        return self.shown(find(entries, "call", pk=call))

    def _wanted(self, workspace: Workspace) -> Wanted:
        """What is asked for. Problem `INVALID_INPUT` for a group or endpoint that is not there."""
        asked = self.query
        conditions: dict[str, Any] = self._owners(workspace)
        conditions |= {name: asked[name] for name in ("method", "status", "request_id") if name in asked}
        if asked["failed"] is not None:
            conditions["status__gte" if asked["failed"] else "status__lt"] = 400
        since, until = (milliseconds(asked[name]) if name in asked else None for name in ("since", "until"))
        return Wanted(workspace.pk, conditions, since, until, asked.get("text", ""))

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
