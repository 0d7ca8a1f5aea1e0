"""Login providers in the management API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.meta.serializers import StrictSerializer, Text
from stackyard.core.meta.views import MetaViewSet, find, route

from .providers import setup
from .providers.models import Provider


class NewProviderSerializer(StrictSerializer):
    """A provider to be."""

    name = Text(max_length=63, help_text="The name that steps and addresses have it by.")
    preset = serializers.ChoiceField(choices=sorted(setup.PRESETS))
    issuer = Text(max_length=300, required=False, help_text="For oidc and microsoft: its address.")
    label = Text(  # type: ignore[assignment]
        max_length=100, required=False, help_text="What people see."
    )
    client_id = Text(max_length=255)
    client_secret = Text(max_length=1000, help_text="Stored encrypted; nobody can see it again.")
    table = Text(
        max_length=63,
        required=False,
        help_text="Whose records log in; not needed where one table has logins.",
    )
    redirect_uris = serializers.ListField(
        child=Text(max_length=500),
        max_length=20,
        help_text="The pages of the app that a login may lead back to.",
    )


class ProviderSerializer(serializers.Serializer[Provider]):
    """A login provider, without its secret."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    preset = serializers.CharField()
    issuer = serializers.CharField()
    client_id = serializers.CharField()
    redirect_uris = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_redirect_uris(self, provider: Provider) -> list[str]:
        """The pages of the app."""
        return provider.redirect_uris.split()


class ProviderViewSet(MetaViewSet):
    """The workspace's login providers. No key can set one up: whoever controls it can log in as anybody."""

    noun, tag, model = "login provider", "login providers", Provider
    builders_only = frozenset({"create"})
    owners_only = frozenset({"list", "create", "retrieve", "destroy"})
    shows = ProviderSerializer
    bodies = {"create": NewProviderSerializer}

    def list(self, request: Request, workspace: str) -> Response:
        """List the providers."""
        return self.listed(self.workspace().providers.all())

    def create(self, request: Request, workspace: str) -> Response:
        """Set a provider up; its discovery document is read at once."""
        owner, asked = self.workspace(), self.body()
        return self.shown(setup.set_up(owner, **asked), status=201)

    def retrieve(self, request: Request, workspace: str, provider: str) -> Response:
        """Show a provider."""
        return self.shown(self._provider(provider))

    def destroy(self, request: Request, workspace: str, provider: str) -> Response:
        """Take a provider away; records and sign-ins stay."""
        setup.remove(self._provider(provider))
        return Response(status=204)

    def _provider(self, name: str) -> Any:
        return find(self.workspace().providers.all(), "login provider", name=name)


_ALL = "workspaces/<str:workspace>/providers"

urlpatterns = [
    route(_ALL, ProviderViewSet, get="list", post="create"),
    route(f"{_ALL}/<str:provider>", ProviderViewSet, get="retrieve", delete="destroy"),
]
