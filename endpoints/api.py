"""API groups, endpoints and the request history in the management API."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.errors import Detail, invalid_input
from stackyard.core.meta.serializers import Flag, StrictModelSerializer, StrictSerializer, Text
from stackyard.core.meta.views import MetaViewSet, find, route
from stackyard.core.models import Workspace
from stackyard.stacks.api import draft_routes
from stackyard.stacks.api_drafts import DocumentSerializer, DraftViewSet
from stackyard.stacks.execution import RequestFacts

from . import groups, publishing, versions
from .models import ApiGroup, Endpoint


class GroupSerializer(StrictModelSerializer):
    """An API group. `successor` is the name of another group of the workspace."""

    successor = Text(source="successor.name", allow_null=True, required=False)

    class Meta:
        model = ApiGroup
        fields = [
            "name",
            "canonical",
            "mount",
            "description",
            "docs",
            "docs_token",
            "cors",
            "unknown_inputs",
            "timestamps",
            "deprecated_at",
            "sunset_at",
            "successor",
            "active",
            "created_at",
        ]
        read_only_fields = ["created_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {
            name: {"validators": []} for name in ("name", "canonical", "mount")
        }


class VersionSerializer(StrictSerializer):
    """What the new version is called and where it is mounted; what is left out is proposed."""

    name = Text(required=False, max_length=63)
    mount = Text(required=False, max_length=200)
    canonical = Text(required=False, max_length=63)


class NewVersionSerializer(GroupSerializer):
    """The new API group; `unpublished` names endpoints whose published stack fails today's check, kept as drafts."""

    unpublished = serializers.ListField(child=serializers.CharField())

    class Meta(GroupSerializer.Meta):
        fields = [*GroupSerializer.Meta.fields, "unpublished"]


class GroupViewSet(MetaViewSet):
    """The workspace's API groups."""

    noun, tag, model = "API group", "API groups", ApiGroup
    shows = GroupSerializer
    bodies = {
        "create": GroupSerializer,
        "partial_update": GroupSerializer,
        "new_version": VersionSerializer,
    }
    answers: ClassVar[Any] = {"new_version": NewVersionSerializer}

    def groups(self) -> Any:
        """The groups of the workspace in the URL."""
        return self.workspace().api_groups.select_related("successor")

    def group(self) -> ApiGroup:
        """The group that the URL names. Problem `NOT_FOUND`."""
        found: ApiGroup = find(self.groups(), "API group", name=self.kwargs["group"])
        return found

    def list(self, request: Request, workspace: str) -> Response:
        """List the API groups by name."""
        return self.listed(self.groups())

    def create(self, request: Request, workspace: str) -> Response:
        """Make an API group."""
        owner = self.workspace()
        return self.shown(groups.create_group(owner, **_with_successor(owner, self.body())), status=201)

    def retrieve(self, request: Request, workspace: str, group: str) -> Response:
        """Show an API group."""
        return self.shown(self.group())

    def partial_update(self, request: Request, workspace: str, group: str) -> Response:
        """Change an API group."""
        found = self.group()
        changes = _with_successor(found.workspace, self.body(partial=True))
        return self.shown(groups.edit_group(found, **changes))

    def new_version(self, request: Request, workspace: str, group: str) -> Response:
        """Copy an API group to its next mount, live at once; the old one names it as its successor."""
        made = versions.new_version(self.group(), self.account, **self.body())
        shown = {**GroupSerializer(made.group).data, "unpublished": [one.name for one in made.unpublished]}
        return Response(shown, status=201)

    def destroy(self, request: Request, workspace: str, group: str) -> Response:
        """Delete an API group with its endpoints."""
        groups.delete_group(self.group())
        return Response(status=204)


def _with_successor(workspace: Workspace, values: dict[str, Any]) -> dict[str, Any]:
    """The values with the successor looked up by its name."""
    if "successor" not in values:
        return values
    name = (values["successor"] or {}).get("name")
    found = workspace.api_groups.filter(name=name).first() if name is not None else None
    if name is not None and found is None:
        raise invalid_input([Detail("successor", "unknown", f'There is no API group "{name}".')])
    return {**values, "successor": found}


class EndpointSerializer(StrictModelSerializer):
    """An endpoint. `published` is the number of the revision that answers, or null."""

    published = serializers.IntegerField(source="published.number", allow_null=True)
    has_changes = serializers.BooleanField()

    class Meta:
        model = Endpoint
        fields = [
            "name",
            "method",
            "path",
            "description",
            "active",
            "published",
            "has_changes",
            "created_at",
            "updated_at",
        ]


class SwitchSerializer(StrictSerializer):
    """Whether the endpoint answers; off, its address is 404. Everything else is in its document."""

    active = Flag()


class EndpointDocumentSerializer(DocumentSerializer):
    """An endpoint's document: its stack, and how it is called."""

    method = serializers.CharField(required=False)
    path = serializers.CharField(required=False)
    auth = serializers.ListField(child=serializers.CharField(), required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)
    data_sources = serializers.ListField(child=serializers.CharField(), required=False)
    limit_per_second = serializers.IntegerField(required=False)
    limit_per_caller = serializers.IntegerField(required=False)
    request_bytes = serializers.IntegerField(required=False)
    response_bytes = serializers.IntegerField(required=False)
    timeout_seconds = serializers.IntegerField(required=False)


class EndpointViewSet(DraftViewSet):
    """The endpoints of an API group."""

    noun, tag, model = "endpoint", "endpoints", Endpoint
    shows = EndpointSerializer
    deeds: ClassVar[Any] = publishing
    ownership = publishing.ENDPOINTS
    bodies = {
        **DraftViewSet.bodies,
        **dict.fromkeys(("create", "save_draft", "check"), EndpointDocumentSerializer),
        "partial_update": SwitchSerializer,
    }

    def group(self) -> ApiGroup:
        """The group that the URL names. Problem `NOT_FOUND`."""
        found: ApiGroup = find(self.workspace().api_groups.all(), "API group", name=self.kwargs["group"])
        return found

    def owner(self) -> Endpoint:
        """The endpoint that the URL names. Problem `NOT_FOUND`."""
        endpoints = self.group().endpoints.select_related("published", "group__workspace")
        found: Endpoint = find(endpoints, "endpoint", name=self.kwargs["endpoint"])
        return found

    def request_facts(self, owner: Endpoint, document: dict[str, Any]) -> RequestFacts:
        """The method and path of the endpoint's document."""
        return RequestFacts(str(document.get("method")), str(document.get("path")), {}, {})

    def list(self, request: Request, workspace: str, group: str) -> Response:
        """List the endpoints by path and method."""
        return self.listed(self.group().endpoints.select_related("published"))

    def create(self, request: Request, workspace: str, group: str) -> Response:
        """Make an endpoint with its first draft."""
        made = publishing.create_endpoint(self.group(), self.document(), self.account)
        return self.shown(made, status=201)

    def retrieve(self, request: Request, workspace: str, group: str, endpoint: str) -> Response:
        """Show an endpoint."""
        return self.shown(self.owner())

    def partial_update(self, request: Request, workspace: str, group: str, endpoint: str) -> Response:
        """Switch an endpoint on or off."""
        owner, asked = self.owner(), self.body(partial=True)
        if "active" in asked:
            publishing.set_active(owner, asked["active"])
        return self.shown(owner)

    def destroy(self, request: Request, workspace: str, group: str, endpoint: str) -> Response:
        """Delete an endpoint. Its address answers 404 from the next request on."""
        publishing.delete_endpoint(self.owner(), self.account)
        return Response(status=204)


_GROUPS = "workspaces/<str:workspace>/groups"
GROUP = f"{_GROUPS}/<str:group>"
_ENDPOINTS = f"{GROUP}/endpoints"
_ENDPOINT = f"{_ENDPOINTS}/<str:endpoint>"

urlpatterns = [
    route(_GROUPS, GroupViewSet, get="list", post="create"),
    route(GROUP, GroupViewSet, get="retrieve", patch="partial_update", delete="destroy"),
    route(f"{GROUP}/versions", GroupViewSet, post="new_version"),
    route(_ENDPOINTS, EndpointViewSet, get="list", post="create"),
    route(_ENDPOINT, EndpointViewSet, get="retrieve", patch="partial_update", delete="destroy"),
    *draft_routes(_ENDPOINT, EndpointViewSet),
]
