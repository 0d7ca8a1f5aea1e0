"""Blueprints in the management API: endpoints made at once."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.meta.serializers import StrictSerializer, Text
from stackyard.core.meta.views import MetaViewSet, find, route

from .api import GROUP, EndpointSerializer
from .blueprints import Blueprint, apply_blueprint
from .models import Endpoint


class OptionSerializer(serializers.Serializer[Any]):
    """Something a blueprint asks for; `choices` is empty where any text will do."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField()
    default = serializers.CharField()  # type: ignore[assignment]
    required = serializers.BooleanField()  # type: ignore[assignment]
    choices = serializers.ListField(child=serializers.CharField())


class BlueprintSerializer(serializers.Serializer[Any]):
    """A way to make endpoints."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    icon = serializers.CharField()
    sentence = serializers.CharField()
    description = serializers.CharField()
    takes_table = serializers.BooleanField()
    options = OptionSerializer(many=True)

    def to_representation(self, instance: type[Blueprint]) -> dict[str, Any]:
        """The blueprint as JSON, from its class."""
        return {
            "name": instance.name,
            "label": instance.label,
            "icon": instance.icon,
            "sentence": instance.sentence,
            "description": instance.description(),
            "takes_table": instance.takes_table,
            "options": [OptionSerializer(option).data for option in instance.options],
        }


class BlueprintViewSet(MetaViewSet):
    """Every blueprint there is, the same for all workspaces."""

    noun, tag = "blueprint", "blueprints"
    shows = BlueprintSerializer

    def list(self, request: Request) -> Response:
        """List the blueprints by name."""
        return self.listed([Blueprint.get(name) for name in sorted(Blueprint.all())])


class UseSerializer(StrictSerializer):
    """Which blueprint, for which table where it takes one, with which options."""

    blueprint = Text()
    table = Text(required=False)
    options = serializers.DictField(child=Text(allow_blank=True), required=False)


class MadeSerializer(serializers.Serializer[Any]):
    """The endpoints that were made; what the group answered already was left as it was."""

    endpoints = EndpointSerializer(many=True)


class BlueprintUseViewSet(MetaViewSet):
    """A blueprint at work in an API group."""

    noun, tag, model = "blueprint", "blueprints", Endpoint
    answers = {"use": MadeSerializer}
    bodies = {"use": UseSerializer}

    def use(self, request: Request, workspace: str, group: str) -> Response:
        """Make and publish a blueprint's endpoints."""
        owner = find(self.workspace().api_groups.all(), "API group", name=group)
        asked = self.body()
        made = apply_blueprint(
            owner, asked["blueprint"], asked.get("table"), self.account, asked.get("options")
        )
        return Response({"endpoints": [EndpointSerializer(endpoint).data for endpoint in made]})


urlpatterns = [
    route("blueprints", BlueprintViewSet, get="list"),
    route(f"{GROUP}/blueprints", BlueprintUseViewSet, post="use"),
]
