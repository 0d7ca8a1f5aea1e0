"""Token families: one a sign-in, whose refresh token is exchanged again and again, each once (RFC 9700 §4.14).

Whoever sends a refresh token that was exchanged already has a copy: the whole family ends, the honest holder's
tokens too. A family that has ended is refused within a second by every process, since ending one moves the version.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import QuerySet

from stackyard.core import version
from stackyard.core.data_source import LIVE
from stackyard.core.errors import Detail, invalid_input
from stackyard.core.jsonout import encode

from . import tokens
from .models import TokenFamily, User
from .tokens import ACCESS_SECONDS, REFRESH_SECONDS, AccessToken, Claims, Holder, RefreshToken

EXTRAS_BYTES = 4_000


@dataclass(frozen=True, slots=True)
class Pair:
    """What a login answers."""

    access: str
    refresh: str

    def as_value(self) -> dict[str, str]:
        """As stacks and callers see it."""
        return {"authToken": self.access, "refreshToken": self.refresh}


def account_of(holder: Holder) -> User:
    """The shadow account of a record: no password, never staff; tokens and grants hang on it."""
    account, _ = User.objects.get_or_create(
        workspace_id=holder.workspace_id,
        table_id=holder.table_id,
        record_id=holder.record_id,
        defaults={"email": None, "password": make_password(None)},
    )
    return account


def sign_in(
    holder: Holder, extras: Mapping[str, Any], access_seconds: int = ACCESS_SECONDS, password_mark: str = ""
) -> Pair:
    """A new family and its first pair. Problem `INVALID_INPUT` for extras past 4,000 bytes."""
    size = len(encode(dict(extras)))
    if size > EXTRAS_BYTES:
        message = f"has {size:,} bytes; a token carries at most {EXTRAS_BYTES:,}"
        raise invalid_input([Detail("extras", "max_length", message)])
    now = datetime.now(UTC)
    family = TokenFamily.objects.create(
        id=secrets.token_urlsafe(16),
        account=account_of(holder),
        refresh_id=secrets.token_urlsafe(16),
        password_mark=password_mark,
        extras=dict(extras),
        access_seconds=access_seconds,
        access_until=now + timedelta(seconds=access_seconds),
        expires_at=now + timedelta(seconds=REFRESH_SECONDS),
    )
    return _pair(family, holder)


def exchange(refresh_token: str, workspace_id: int, source: str = LIVE) -> Pair:
    """A new pair for a refresh token, which is spent by that.

    Problem `UNAUTHORIZED` for one that is not good, or of another data source than that; for one that was spent already the whole family ends.
    """
    claims = tokens.read(RefreshToken, refresh_token, workspace_id)
    now = datetime.now(UTC)
    family = TokenFamily.objects.filter(pk=claims.family, revoked_at=None, expires_at__gt=now).first()
    if family is None or claims.holder.source != source:
        raise tokens.refused()
    family.refresh_id = secrets.token_urlsafe(16)
    # One conditional UPDATE decides between two who come at once: the second is a reuse.
    spent = TokenFamily.objects.filter(pk=family.pk, refresh_id=claims.id, revoked_at=None).update(
        refresh_id=family.refresh_id,
        access_until=now + timedelta(seconds=family.access_seconds),
    )
    if not spent:
        end(TokenFamily.objects.filter(pk=family.pk), "a spent refresh token came again")
        raise tokens.refused()
    return _pair(family, claims.holder)


def _pair(family: TokenFamily, holder: Holder) -> Pair:
    left = int((family.expires_at - datetime.now(UTC)).total_seconds())
    return Pair(
        tokens.write(AccessToken, holder, family.pk, family.extras, family.access_seconds),
        tokens.write(RefreshToken, holder, family.pk, {}, left, family.refresh_id),
    )


def end(families: QuerySet[TokenFamily], reason: str) -> int:
    """End families for good; how many. Holds within a second, everywhere."""
    with transaction.atomic():
        ended = families.filter(revoked_at=None).update(revoked_at=datetime.now(UTC), reason=reason)
        if ended:
            version.bump()
    return ended


def end_one(family: str, reason: str) -> int:
    """End one sign-in."""
    return end(TokenFamily.objects.filter(pk=family), reason)


def end_all(holder: Holder, reason: str) -> int:
    """End every sign-in of a record."""
    return end(live(holder), reason)


def end_older(holder: Holder, password_mark: str) -> int:
    """End the sign-ins of a record that began with another password than it has now."""
    return end(live(holder).exclude(password_mark=password_mark), "the password was changed")


def live(holder: Holder) -> QuerySet[TokenFamily]:
    """The sign-ins of a record that have not ended."""
    accounts = User.objects.filter(
        workspace_id=holder.workspace_id, table_id=holder.table_id, record_id=holder.record_id
    )
    return TokenFamily.objects.filter(account__in=accounts, revoked_at=None)


def _ended() -> frozenset[str]:
    """The families that ended while access tokens of theirs may still live."""
    rows = TokenFamily.objects.filter(revoked_at__isnull=False, access_until__gt=datetime.now(UTC))
    return frozenset(rows.values_list("pk", flat=True))


_ended_now: version.Current[frozenset[str]] = version.Current(_ended)


def verify(access_token: str, workspace_id: int) -> Claims:
    """Whose an access token is. Problem `UNAUTHORIZED` for one that is not good now."""
    claims = tokens.read(AccessToken, access_token, workspace_id)
    if claims.family in _ended_now.get():
        raise tokens.refused()
    return claims


def prune(now: datetime | None = None) -> int:
    """Forget families whose last token has expired; how many."""
    deleted, _ = TokenFamily.objects.filter(expires_at__lt=now or datetime.now(UTC)).delete()
    return deleted
