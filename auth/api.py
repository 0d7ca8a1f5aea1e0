"""API keys in the management API, and who is asking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.errors import Detail, invalid_input
from stackyard.core.meta.serializers import Moment, StrictModelSerializer, StrictSerializer, Text
from stackyard.core.meta.views import MetaViewSet, find, route

from . import keys, meta_schema  # noqa: F401 (the schema's names for the ways in)
from .models import ApiKey


def _addresses() -> serializers.ListField:
    help_text = (
        "Addresses and networks it may be used from, such as 203.0.113.7 or 10.0.0.0/8; empty: everywhere."
    )
    return serializers.ListField(
        child=Text(max_length=64), max_length=100, required=False, help_text=help_text
    )


class KeySerializer(StrictModelSerializer):
    """An API key. Its text is shown once, in the answer that makes it."""

    scopes = serializers.ListField(child=Text(max_length=130), max_length=200, required=False)
    expires_at = Moment(required=False, allow_null=True, help_text="Null: never.")
    addresses = _addresses()

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "name",
            "prefix",
            "scopes",
            "created_at",
            "expires_at",
            "addresses",
            "last_used_at",
            "revoked_at",
        ]
        read_only_fields = ["id", "prefix", "created_at", "last_used_at", "revoked_at"]


class NewKeySerializer(KeySerializer):
    """A key that was just made; nobody can see `key` again."""

    key = serializers.CharField(read_only=True)

    class Meta(KeySerializer.Meta):
        fields = [*KeySerializer.Meta.fields, "key"]


class KeyChangeSerializer(StrictSerializer):
    """Other rights, or another end; the rest of a key stays as it was made."""

    scopes = serializers.ListField(child=Text(max_length=130), max_length=200, required=False)
    expires_at = Moment(required=False, allow_null=True, help_text="Null: never.")
    addresses = _addresses()


class KeyViewSet(MetaViewSet):
    """The workspace's API keys. No key can change one, since it could give itself more than it was given."""

    noun, tag, model = "API key", "API keys", ApiKey
    builders_only = frozenset({"partial_update"})
    owners_only = frozenset({"list", "create", "retrieve", "partial_update", "destroy"})
    shows = KeySerializer
    answers = {"create": NewKeySerializer}
    bodies = {"create": KeySerializer, "partial_update": KeyChangeSerializer}

    def key(self) -> ApiKey:
        """The key that the URL names by its id. Problem `NOT_FOUND`."""
        found: ApiKey = find(self.workspace().api_keys.all(), "API key", pk=self.kwargs["key"])
        return found

    def list(self, request: Request, workspace: str) -> Response:
        """List the keys, the newest first, revoked ones included."""
        return self.listed(self.workspace().api_keys.all())

    def create(self, request: Request, workspace: str) -> Response:
        """Make a key and show its text, once."""
        owner, asked = self.workspace(), self.body()
        asked["scopes"] = asked.get("scopes", ["*"])
        self._refuse_offspring(asked["scopes"])
        made, text = keys.create_key(owner, **asked, created_by=self.account)
        made.key = text  # type: ignore[attr-defined]
        return self.shown(made, status=201)

    def retrieve(self, request: Request, workspace: str, key: int) -> Response:
        """Show a key without its text."""
        return self.shown(self.key())

    def partial_update(self, request: Request, workspace: str, key: int) -> Response:
        """Give a key other scopes, another end or other addresses."""
        found, asked = self.key(), self.body(partial=True)
        kept = {name: getattr(found, name) for name in ("scopes", "expires_at", "addresses")}
        keys.change_key(found, **{**kept, **asked})
        return self.shown(found)

    def destroy(self, request: Request, workspace: str, key: int) -> Response:
        """Revoke a key: from now on it opens nothing, everywhere. It stays in the list."""
        keys.revoke_key(self.key())
        return Response(status=204)

    def _refuse_offspring(self, scopes: Sequence[str]) -> None:
        """A key that leaked must not be able to outlive its own revocation: only a builder grants `meta`."""
        if self.principal.kind == "api_key" and "meta" in scopes:
            message = "A key cannot grant the scope meta; somebody who is signed in to the console can."
            raise invalid_input([Detail("scopes", "scope", message)])


class CallerSerializer(serializers.Serializer[Any]):
    """Who is asking."""

    kind = serializers.ChoiceField(choices=["api_key", "builder"])
    label = serializers.CharField(  # type: ignore[assignment]
        help_text="The key's name, or the account's e-mail."
    )
    workspace = serializers.CharField(allow_null=True, help_text="The one a key is bound to.")
    scopes = serializers.ListField(child=serializers.CharField())


class CallerViewSet(MetaViewSet):
    """Who is asking."""

    noun, tag = "caller", "caller"
    shows = CallerSerializer

    def retrieve(self, request: Request) -> Response:
        """Show who is asking."""
        principal = self.principal
        bound = self.workspaces().first() if principal.kind == "api_key" else None
        return self.shown(
            {
                "kind": principal.kind,
                "label": principal.label,
                "workspace": bound.name if bound is not None else None,
                "scopes": sorted(principal.scopes),
            }
        )


_KEYS = "workspaces/<str:workspace>/keys"

urlpatterns = [
    route("me", CallerViewSet, get="retrieve"),
    route(_KEYS, KeyViewSet, get="list", post="create"),
    route(f"{_KEYS}/<int:key>", KeyViewSet, get="retrieve", patch="partial_update", delete="destroy"),
]
