"""What django-oauth-toolkit keeps, in tables of ours: an application belongs to a workspace, and no code or token is stored."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from stackyard.core.audit.audited import Audited
from stackyard.core.models import Workspace
from stackyard.core.secrets import digest

LOOPBACK = frozenset({"127.0.0.1", "::1"})
"""The addresses of programs on the person's own machine, which take whatever port is free."""


class CodeField(models.CharField):
    """An authorization code, of which only the digest is stored and looked up."""

    def get_prep_value(self, value: Any) -> Any:
        """The code's digest."""
        return None if value is None else digest(str(value))


class Application(Audited, AbstractApplication):
    """A program of somebody else that may ask people of a workspace for access to its API groups.

    `table_id` is the auth-enabled table of these people; null where the program acts for itself (client credentials).
    `scopes` are the most it may ask for. The secret is 256 random bits, of which only the digest is stored.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="oauth_applications")
    table_id = models.BigIntegerField(null=True, blank=True, editable=False)
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    audit_kind = "application"
    audit_hidden = frozenset({"client_secret"})

    class Meta(AbstractApplication.Meta):
        abstract = False
        ordering: ClassVar[list[str]] = ["-created"]
        verbose_name = "OAuth application"

    def is_usable(self, request: Any) -> bool:
        """Whether it was not revoked."""
        return self.revoked_at is None

    def redirect_uri_allowed(self, uri: str) -> bool:
        """Whether it is one of those registered, letter by letter; on the loopback address any port (RFC 8252 §7.3)."""
        known = self.redirect_uris.split()
        return uri in known or any(_differ_by_port(uri, one) for one in known)

    def get_allowed_schemes(self) -> list[str]:
        """The schemes of what is registered."""
        return [urlsplit(uri).scheme for uri in self.redirect_uris.split()]


def _differ_by_port(uri: str, known: str) -> bool:
    asked, registered = urlsplit(uri), urlsplit(known)
    if registered.scheme != "http" or registered.hostname not in LOOPBACK:
        return False
    try:
        host = asked.netloc.removesuffix("" if asked.port is None else f":{asked.port}")
    except ValueError:
        return False
    same_host = host.strip("[]") == registered.hostname
    return same_host and asked._replace(netloc="") == registered._replace(netloc="")


class Grant(AbstractGrant):
    """An authorization code. It stays after its use, so that a second use is seen and ends what the first gave."""

    code = CodeField(max_length=255, unique=True)
    family = models.UUIDField(default=uuid.uuid4)
    used_at = models.DateTimeField(null=True)

    class Meta(AbstractGrant.Meta):
        abstract = False


class AccessToken(AbstractAccessToken):
    """An access token; `family` ties together all that came of one consent.

    `password_mark` tells whether the record still has the password it had then.
    """

    family = models.UUIDField(null=True, db_index=True)
    password_mark = models.CharField(max_length=16, blank=True, default="")

    class Meta(AbstractAccessToken.Meta):
        abstract = False

    @property
    def scopes(self) -> dict[str, str]:
        """The scopes, each under its own name (their words are those of `oauth.scopes`)."""
        return {scope: scope for scope in self.scope.split()}


class RefreshToken(AbstractRefreshToken):
    """A refresh token, exchanged once."""

    class Meta(AbstractRefreshToken.Meta):
        abstract = False

    @classmethod
    def revoke_family(cls, token_family: uuid.UUID | None) -> None:
        """End all tokens of a consent: what a token that comes a second time does."""
        from .ending import end_family

        end_family(token_family)


class IDToken(AbstractIDToken):
    """What was said about a person to an application (OpenID Connect)."""

    class Meta(AbstractIDToken.Meta):
        abstract = False
