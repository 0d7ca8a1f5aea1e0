"""OAuth applications in the management API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.meta.serializers import StrictSerializer, Text
from stackyard.core.meta.views import MetaViewSet, find, route

from .oauth import applications
from .oauth.models import Application


def _list(help_text: str, **more: Any) -> serializers.ListField:
    return serializers.ListField(child=Text(max_length=500), max_length=200, help_text=help_text, **more)


class ApplicationChangeSerializer(StrictSerializer):
    """What can be changed of an application."""

    name = Text(max_length=100, help_text="What people see when they are asked.")
    scopes = _list("The most it may ask for: GROUP, GROUP:read, GROUP/ENDPOINT, openid, email.")
    redirect_uris = _list("Where people are sent back to; compared letter by letter.", required=False)


class NewApplicationSerializer(ApplicationChangeSerializer):
    """An application to be."""

    grant = serializers.ChoiceField(
        choices=sorted(applications.GRANTS),
        default=applications.CODE,
        help_text="`authorization_code`: for people who are asked; `client_credentials`: for itself.",
    )
    public = serializers.BooleanField(
        default=False, help_text="It runs where it can keep no secret: a browser, a phone."
    )
    table = Text(
        max_length=63,
        required=False,
        help_text="Whose records are asked; not needed where one table has logins.",
    )


class ApplicationSerializer(serializers.Serializer[Application]):
    """An OAuth application, without its secret."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    client_id = serializers.CharField()
    grant = serializers.SerializerMethodField()
    public = serializers.SerializerMethodField()
    scopes = serializers.ListField(child=serializers.CharField())
    redirect_uris = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(source="created")
    revoked_at = serializers.DateTimeField(allow_null=True)

    def get_grant(self, application: Application) -> str:
        """Which way it gets tokens."""
        return applications.grant_of(application)

    def get_public(self, application: Application) -> bool:
        """Whether it has no secret."""
        return application.client_type == Application.CLIENT_PUBLIC

    def get_redirect_uris(self, application: Application) -> list[str]:
        """Where people are sent back to."""
        return list(application.redirect_uris.split())


class MadeApplicationSerializer(ApplicationSerializer):
    """An application that has just got its secret; nobody can see it again."""

    client_secret = serializers.CharField(allow_null=True, help_text="Null for a public application.")


class ConsentSerializer(serializers.Serializer[applications.Consent]):
    """What somebody has given to the application."""

    id = serializers.UUIDField(source="family")
    person = serializers.CharField(help_text="E-mail address, or the application's own name.")
    scopes = serializers.ListField(child=serializers.CharField())
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(help_text="When its access token ends; a refresh token may outlive it.")


class ApplicationViewSet(MetaViewSet):
    """The workspace's OAuth applications. No key can make or change one: a consent would outlive the key."""

    noun, tag, model = "OAuth application", "OAuth applications", Application
    builders_only = frozenset({"create", "partial_update", "secret"})
    owners_only = frozenset({"list", "create", "retrieve", "partial_update", "destroy", "secret"})
    shows = ApplicationSerializer
    answers = {"create": MadeApplicationSerializer, "secret": MadeApplicationSerializer}
    bodies = {"create": NewApplicationSerializer, "partial_update": ApplicationChangeSerializer}

    def application(self) -> Application:
        """The application that the URL names by its id. Problem `NOT_FOUND`."""
        known = self.workspace().oauth_applications.all()
        found: Application = find(known, "OAuth application", pk=self.kwargs["application"])
        return found

    def list(self, request: Request, workspace: str) -> Response:
        """List the applications, the newest first, revoked ones included."""
        return self.listed(self.workspace().oauth_applications.all())

    def create(self, request: Request, workspace: str) -> Response:
        """Register an application and show its secret, once."""
        owner, asked = self.workspace(), self.body()
        asked["is_public"] = asked.pop("public", False)
        made, text = applications.register(owner, **asked, created_by=self.account)
        made.client_secret = text or ""
        return self.shown(made, status=201)

    def retrieve(self, request: Request, workspace: str, application: int) -> Response:
        """Show an application."""
        return self.shown(self.application())

    def partial_update(self, request: Request, workspace: str, application: int) -> Response:
        """Give an application another name, other scopes or redirect URIs."""
        found, asked = self.application(), self.body(partial=True)
        kept = {"name": found.name, "scopes": found.scopes, "redirect_uris": found.redirect_uris.split()}
        applications.change(found, **{**kept, **asked})
        return self.shown(found)

    def destroy(self, request: Request, workspace: str, application: int) -> Response:
        """Revoke an application with all its tokens. It stays in the list."""
        applications.revoke(self.application())
        return Response(status=204)

    def secret(self, request: Request, workspace: str, application: int) -> Response:
        """Make a new secret in place of the old one, and show it, once."""
        found = self.application()
        found.client_secret = applications.renew_secret(found)
        return self.shown(found)


class ConsentViewSet(MetaViewSet):
    """What people have given to an application."""

    noun, tag, model = "consent", "OAuth consents", Application
    owners_only = frozenset({"list", "destroy"})
    shows = ConsentSerializer

    def list(self, request: Request, workspace: str, application: int) -> Response:
        """List the consents that hold tokens now."""
        return self.listed(applications.consents(self._application()))

    def destroy(self, request: Request, workspace: str, application: int, consent: Any) -> Response:
        """Take a consent back: its tokens are refused within a second."""
        applications.end_consent(self._application(), consent)
        return Response(status=204)

    def _application(self) -> Application:
        known = self.workspace().oauth_applications.all()
        found: Application = find(known, "OAuth application", pk=self.kwargs["application"])
        return found


_ALL = "workspaces/<str:workspace>/oauth/applications"
_ONE = f"{_ALL}/<int:application>"

urlpatterns = [
    route(_ALL, ApplicationViewSet, get="list", post="create"),
    route(_ONE, ApplicationViewSet, get="retrieve", patch="partial_update", delete="destroy"),
    route(f"{_ONE}/secret", ApplicationViewSet, post="secret"),
    route(f"{_ONE}/consents", ConsentViewSet, get="list"),
    route(f"{_ONE}/consents/<uuid:consent>", ConsentViewSet, delete="destroy"),
]
