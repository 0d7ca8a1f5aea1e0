"""Functions in the management API, and the catalogue of step kinds."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import URLPattern
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.meta.serializers import AnyJSON, StrictModelSerializer
from stackyard.core.meta.views import MetaViewSet, find, route

from . import publishing
from .api_drafts import DraftViewSet
from .models import Function
from .step import Step


class FunctionSerializer(StrictModelSerializer):
    """A reusable stack. `published` is the number of the revision that runs, or null."""

    published = serializers.IntegerField(source="published.number", allow_null=True)
    has_changes = serializers.BooleanField()

    class Meta:
        model = Function
        fields = ["name", "description", "published", "has_changes", "created_at", "updated_at"]


class FunctionViewSet(DraftViewSet):
    """The workspace's functions."""

    noun, tag, model = "function", "functions", Function
    shows = FunctionSerializer
    deeds: ClassVar[Any] = publishing
    ownership = publishing.FUNCTIONS

    def owner(self) -> Function:
        """The function that the URL names. Problem `NOT_FOUND`."""
        functions = self.workspace().functions.select_related("published", "workspace")
        found: Function = find(functions, "function", name=self.kwargs["function"])
        return found

    def list(self, request: Request, workspace: str) -> Response:
        """List the functions by name."""
        return self.listed(self.workspace().functions.select_related("published"))

    def create(self, request: Request, workspace: str) -> Response:
        """Make a function with its first draft."""
        made = publishing.create_function(self.workspace(), self.document(), self.account)
        return self.shown(made, status=201)

    def retrieve(self, request: Request, workspace: str, function: str) -> Response:
        """Show a function."""
        return self.shown(self.owner())

    def destroy(self, request: Request, workspace: str, function: str) -> Response:
        """Delete a function with its revisions. Stacks that call it no longer run."""
        publishing.delete_function(self.owner())
        return Response(status=204)


class StepSerializer(serializers.Serializer[Any]):
    """A step kind: what editors show, and the JSON Schema of its parameters."""

    name = serializers.CharField()
    version = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]
    group = serializers.CharField()
    icon = serializers.CharField()
    sentence = serializers.CharField()
    description = serializers.CharField()
    gives_result = serializers.BooleanField()
    parameters = serializers.ListField(child=serializers.DictField())
    examples = AnyJSON()

    def to_representation(self, instance: type[Step]) -> dict[str, Any]:
        """The kind as JSON, from its class."""
        return {
            "name": instance.name,
            "version": instance.version,
            "label": instance.label,
            "group": instance.group,
            "icon": instance.icon,
            "sentence": instance.sentence,
            "description": instance.description(),
            "gives_result": instance.gives_result,
            "parameters": [
                {
                    "name": parameter.name,
                    "label": parameter.label,
                    "required": parameter.required,
                    "default": parameter.default,
                    "advanced": parameter.advanced,
                    "schema": parameter.schema(),
                }
                for parameter in instance.parameters
            ],
            "examples": list(instance.examples),
        }


class StepViewSet(MetaViewSet):
    """Every step kind there is, the same for all workspaces."""

    noun, tag = "step kind", "step kinds"
    shows = StepSerializer

    def list(self, request: Request) -> Response:
        """List the step kinds by group and name."""
        return self.listed(sorted(Step.all().values(), key=lambda kind: (kind.group, kind.name)))


_ONE = "workspaces/<str:workspace>/functions/<str:function>"


def draft_routes(one: str, view: type[DraftViewSet]) -> list[URLPattern]:
    """The routes below an owner's own for its draft and revisions."""
    return [
        route(f"{one}/draft", view, get="draft", put="save_draft"),
        route(f"{one}/check", view, post="check"),
        route(f"{one}/publish", view, post="publish"),
        route(f"{one}/run", view, post="run"),
        route(f"{one}/revisions", view, get="revisions"),
        route(f"{one}/revisions/compare", view, get="compare"),
        route(f"{one}/revisions/<int:number>", view, get="revision"),
        route(f"{one}/revisions/<int:number>/restore", view, post="restore"),
    ]


urlpatterns = [
    route("workspaces/<str:workspace>/functions", FunctionViewSet, get="list", post="create"),
    route(_ONE, FunctionViewSet, get="retrieve", delete="destroy"),
    *draft_routes(_ONE, FunctionViewSet),
    route("steps", StepViewSet, get="list"),
]
