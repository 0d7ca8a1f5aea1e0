"""Registering applications, changing them, ending them; and what people have consented to."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Min

from stackyard.core import version
from stackyard.core.errors import Detail, Problem, invalid_input
from stackyard.core.models import Workspace
from stackyard.core.secrets import digest

from .ending import end_application, end_family
from .models import LOOPBACK, AccessToken, Application, RefreshToken
from .people import people_table, shown_name
from .scopes import check_scopes

CODE, CLIENT = "authorization_code", "client_credentials"
GRANTS = {CODE: Application.GRANT_AUTHORIZATION_CODE, CLIENT: Application.GRANT_CLIENT_CREDENTIALS}
_MOST_ADDRESSES = 20


def register(
    workspace: Workspace,
    name: str,
    scopes: Iterable[str],
    redirect_uris: Sequence[str] = (),
    *,
    grant: str = CODE,
    is_public: bool = False,
    table: str | None = None,
    created_by: Any = None,
) -> tuple[Application, str | None]:
    """A new application, and its secret, which nobody can see again; a public one (in a browser, on a phone) has none.

    Problem `INVALID_INPUT` with every fault of scopes and redirect URIs.
    """
    if grant == CLIENT and is_public:
        raise invalid_input(
            [Detail("public", "grant", "a public application cannot prove that it is itself")]
        )
    text = None if is_public else secrets.token_urlsafe(32)
    application = Application.objects.create(
        workspace=workspace,
        name=_named(name),
        client_id=f"app_{secrets.token_urlsafe(16)}",
        client_secret="" if text is None else digest(text),
        hash_client_secret=False,
        client_type=Application.CLIENT_PUBLIC if is_public else Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=GRANTS[grant],
        algorithm=Application.RS256_ALGORITHM,
        redirect_uris=_addresses(redirect_uris, grant),
        scopes=check_scopes(scopes),
        table_id=people_table(workspace.pk, table) if grant == CODE else None,
        created_by=created_by,
    )
    return application, text


def change(application: Application, name: str, scopes: Iterable[str], redirect_uris: Sequence[str]) -> None:
    """Another name, other scopes or addresses; scopes that are gone are gone from tokens too, within a second."""
    with transaction.atomic():
        application.name, application.scopes = _named(name), check_scopes(scopes)
        application.redirect_uris = _addresses(redirect_uris, grant_of(application))
        application.save(update_fields=["name", "scopes", "redirect_uris", "updated"])
        version.bump()


def renew_secret(application: Application) -> str:
    """A new secret in place of the old one. Problem `CONFLICT` for a public application."""
    if application.client_type == Application.CLIENT_PUBLIC:
        raise Problem("CONFLICT", "A public application has no secret.")
    text = secrets.token_urlsafe(32)
    application.client_secret = digest(text)
    application.save(update_fields=["client_secret", "updated"])
    return text


def revoke(application: Application) -> None:
    """End an application for good, with all its tokens; holds within a second, everywhere."""
    with transaction.atomic():
        application.revoked_at = datetime.now(UTC)
        application.save(update_fields=["revoked_at"])
        end_application(application)
        version.bump()


def grant_of(application: Application) -> str:
    """`authorization_code` or `client_credentials`."""
    return next(name for name, stored in GRANTS.items() if stored == application.authorization_grant_type)


def _named(name: str) -> str:
    if not name.strip():
        raise invalid_input([Detail("name", "required", "give it a name that people know it by")])
    return name.strip()


def _addresses(uris: Sequence[str], grant: str) -> str:
    faults = [
        Detail("redirect_uris", "redirect_uri", f"{uri!r} {fault}") for uri in uris if (fault := _fault(uri))
    ]
    if grant == CODE and not uris:
        faults.append(Detail("redirect_uris", "required", "where is the person sent back to?"))
    if len(uris) > _MOST_ADDRESSES:
        faults.append(Detail("redirect_uris", "max_length", f"at most {_MOST_ADDRESSES}"))
    if faults:
        raise invalid_input(faults)
    return " ".join(dict.fromkeys(uris))


def _fault(uri: str) -> str | None:
    """What is wrong with a redirect URI (RFC 9700 §4.1, RFC 8252 §7), or None."""
    try:
        parts = urlsplit(uri)
        host = parts.hostname
        _ = parts.port
    except (ValueError, AttributeError):
        return "is no URI"
    if any(sign in uri for sign in " *\\#") or not uri.isascii() or not uri.isprintable():
        return "is to be written out: no wildcards, blanks, backslashes or #"
    if "." in parts.scheme:
        return None
    if parts.username is not None or not host:
        return "needs a host, and no name or password"
    if parts.scheme == "https" or (parts.scheme == "http" and host in {*LOOPBACK, "localhost"}):
        return None
    return "begins with https://, with http:// on 127.0.0.1, or with a scheme of your own such as com.example.app:"


@dataclass(frozen=True, slots=True)
class Consent:
    """What one person has given to an application (or the application to itself: `account_id` None)."""

    family: UUID
    person: str
    scopes: Sequence[str]
    since: datetime
    until: datetime


def consents(application: Application) -> list[Consent]:
    """The consents that hold tokens now, the newest first."""
    now = datetime.now(UTC)
    rows = AccessToken.objects.filter(application=application).select_related("user")
    live = set(
        RefreshToken.objects.filter(application=application, revoked=None).values_list(
            "token_family", flat=True
        )
    )
    spans = {
        row["family"]: row
        for row in rows.values("family").annotate(since=Min("created"), until=Max("expires"))
    }
    found: dict[UUID, Consent] = {}
    for token in rows.order_by("-created")[:1000]:
        if token.family in found or not (token.family in live or token.expires > now):
            continue
        span = spans[token.family]
        person = shown_name(token.user) if token.user is not None else application.name
        found[token.family] = Consent(token.family, person, token.scope.split(), span["since"], span["until"])
    return list(found.values())


def end_consent(application: Application, family: UUID) -> None:
    """Take back what somebody gave. Problem `NOT_FOUND` when the application holds no such consent."""
    if not AccessToken.objects.filter(application=application, family=family).exists():
        raise Problem("NOT_FOUND", "The application holds no such consent.")
    end_family(family)
