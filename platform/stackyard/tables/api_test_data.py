"""A workspace's test data in the management API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.meta.serializers import StrictSerializer, Text
from stackyard.core.meta.views import MetaViewSet, route
from stackyard.runs.api import RunSerializer

from . import test_data
from .models import Table


class TestDataSerializer(serializers.Serializer[Any]):
    """Whether there is test data."""

    has_test_data = serializers.BooleanField()

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Of a workspace."""
        return {"has_test_data": instance.has_test_data}


class TablesSerializer(StrictSerializer):
    """Which tables; all of them when left out."""

    tables = serializers.ListField(child=Text(max_length=63), required=False, allow_null=True)


class TestDataViewSet(MetaViewSet):
    """The test data of a workspace: a second set of records for all of its tables."""

    noun, tag, model = "test data", "test data", Table
    shows = TestDataSerializer
    bodies = {"copy": TablesSerializer, "empty": TablesSerializer}
    rights = {"create": "add", "destroy": "delete", "copy": "change", "empty": "change"}

    def retrieve(self, request: Request, workspace: str) -> Response:
        """Say whether the workspace has test data."""
        return self.shown(self.workspace())

    def create(self, request: Request, workspace: str) -> Response:
        """Give the workspace test data, empty at first: 201, or 200 when it has some already."""
        owner = self.workspace()
        is_new = test_data.make(owner)
        owner.has_test_data = True
        return self.shown(owner, status=201 if is_new else 200)

    def destroy(self, request: Request, workspace: str) -> Response:
        """Take the test data away, with all its records."""
        test_data.remove(self.workspace())
        return Response(status=204)

    def copy(self, request: Request, workspace: str) -> Response:
        """Put copies of the live records in the place of the test records: 200 when that is done, 202 with a run for many."""
        return self._done(test_data.copy)

    def empty(self, request: Request, workspace: str) -> Response:
        """Delete the test records: 200 when that is done, 202 with a run for many."""
        return self._done(test_data.empty)

    def _done(self, deed: Any) -> Response:
        owner = self.workspace()
        run = deed(owner, self.body().get("tables"), principal=self.principal)
        if run is not None:
            return Response(RunSerializer(run).data, status=202)
        return self.shown(owner)


_TEST = "workspaces/<str:workspace>/test-data"

urlpatterns = [
    route(_TEST, TestDataViewSet, get="retrieve", post="create", delete="destroy"),
    route(f"{_TEST}/copy", TestDataViewSet, post="copy"),
    route(f"{_TEST}/empty", TestDataViewSet, post="empty"),
]
