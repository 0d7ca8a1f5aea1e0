"""Workspaces, variables and the catalogue of filters in the management API."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from . import workspaces
from .filter import Filter, filters
from .meta.serializers import StrictModelSerializer, Text
from .meta.views import MetaViewSet, find, route
from .models import Variable, Workspace
from .types import json_schema


class WorkspaceSerializer(StrictModelSerializer):
    """A workspace."""

    class Meta:
        model = Workspace
        fields = ["name", "description", "timezone", "has_test_data", "created_at"]
        read_only_fields = ["has_test_data", "created_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}


class WorkspaceViewSet(MetaViewSet):
    """The workspaces that the caller may manage. Only a builder can make one; a key sees its own."""

    noun, tag, model = "workspace", "workspaces", Workspace
    builders_only = frozenset({"create"})
    owners_only = frozenset({"partial_update"})
    shows = WorkspaceSerializer
    bodies = {"create": WorkspaceSerializer, "partial_update": WorkspaceSerializer}

    def list(self, request: Request) -> Response:
        """List the workspaces by name."""
        return self.listed(self.workspaces())

    def create(self, request: Request) -> Response:
        """Make an empty workspace."""
        return self.shown(workspaces.create_workspace(**self.body()), status=201)

    def retrieve(self, request: Request, workspace: str) -> Response:
        """Show a workspace."""
        return self.shown(self.workspace())

    def partial_update(self, request: Request, workspace: str) -> Response:
        """Change name, description or time zone."""
        return self.shown(workspaces.edit_workspace(self.workspace(), **self.body(partial=True)))


class VariableSerializer(StrictModelSerializer):
    """A named value that stacks see as `env.NAME`. The value of a secret goes in and never comes out."""

    value = Text(
        allow_blank=True,
        required=False,
        max_length=100_000,
        help_text="Null in answers where the variable is a secret.",
    )

    class Meta:
        model = Variable
        fields = ["name", "value", "is_secret", "description"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}

    def to_representation(self, instance: Variable) -> dict[str, Any]:
        """The variable; a secret without its value."""
        return {
            "name": instance.name,
            "value": None if instance.is_secret else instance.value,
            "is_secret": instance.is_secret,
            "description": instance.description,
        }


class VariableViewSet(MetaViewSet):
    """The workspace's variables."""

    noun, tag, model = "variable", "variables", Variable
    shows = VariableSerializer
    bodies = {"create": VariableSerializer, "partial_update": VariableSerializer}

    def variable(self) -> Variable:
        """The variable that the URL names. Problem `NOT_FOUND`."""
        found: Variable = find(self.workspace().variables.all(), "variable", name=self.kwargs["variable"])
        return found

    def list(self, request: Request, workspace: str) -> Response:
        """List the variables by name."""
        return self.listed(self.workspace().variables.all())

    def create(self, request: Request, workspace: str) -> Response:
        """Make a variable."""
        return self.shown(workspaces.create_variable(self.workspace(), **self.body()), status=201)

    def retrieve(self, request: Request, workspace: str, variable: str) -> Response:
        """Show a variable. A secret's value is null."""
        return self.shown(self.variable())

    def partial_update(self, request: Request, workspace: str, variable: str) -> Response:
        """Change a variable. A secret stays a secret."""
        return self.shown(workspaces.edit_variable(self.variable(), **self.body(partial=True)))

    def destroy(self, request: Request, workspace: str, variable: str) -> Response:
        """Delete a variable. Stacks that name it no longer pass their check."""
        workspaces.delete_variable(self.variable())
        return Response(status=204)


class FilterSerializer(serializers.Serializer[Any]):
    """A filter: what it takes and gives, with runnable examples."""

    name = serializers.CharField()
    family = serializers.CharField()
    help = serializers.CharField()
    value = serializers.DictField(help_text="JSON Schema of the piped value.")
    parameters = serializers.ListField(child=serializers.DictField())
    examples = serializers.ListField(child=serializers.DictField())

    def to_representation(self, instance: Filter) -> dict[str, Any]:
        """The filter as JSON, from its declaration."""
        return {
            "name": instance.name,
            "family": instance.family,
            "help": instance.help,
            "value": json_schema(instance.value),
            "parameters": [
                {
                    "name": parameter.name,
                    "required": parameter.required,
                    "default": parameter.default,
                    "is_lambda": parameter.is_lambda,
                    "schema": json_schema(parameter.type),
                }
                for parameter in instance.parameters
            ],
            "examples": [{"source": one.source, "result": one.result} for one in instance.examples],
        }


class FilterViewSet(MetaViewSet):
    """Every filter of the expression language, the same for all workspaces."""

    noun, tag = "filter", "filters"
    shows = FilterSerializer

    def list(self, request: Request) -> Response:
        """List the filters by family and name."""
        return self.listed(sorted(filters().values(), key=lambda one: (one.family, one.name)))


urlpatterns = [
    route("workspaces", WorkspaceViewSet, get="list", post="create"),
    route("workspaces/<str:workspace>", WorkspaceViewSet, get="retrieve", patch="partial_update"),
    route("workspaces/<str:workspace>/variables", VariableViewSet, get="list", post="create"),
    route(
        "workspaces/<str:workspace>/variables/<str:variable>",
        VariableViewSet,
        get="retrieve",
        patch="partial_update",
        delete="destroy",
    ),
    route("filters", FilterViewSet, get="list"),
]
