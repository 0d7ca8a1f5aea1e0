"""The rules of RFC 9700 that django-oauth-toolkit leaves to us.

Codes and refresh tokens are spent by one conditional UPDATE: of two who come at once the second is a thief, and what
the first got ends too (RFC 9700 §2.1.1, §4.14). PKCE with S256 for everybody, scopes of the application's workspace.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from oauth2_provider.models import set_token_value
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.settings import oauth2_settings
from oauthlib.oauth2.rfc6749 import errors

from stackyard.core.secrets import digest

from .ending import end_family
from .models import AccessToken, Grant, RefreshToken
from .people import claims_of, password_mark, subject_of
from .scopes import covers

ACCESS_PREFIX, REFRESH_PREFIX = "so_", "sr_"


def new_access_token(request: Any, refresh_token: bool = False) -> str:
    """`so_` and 256 random bits."""
    return ACCESS_PREFIX + secrets.token_urlsafe(32)


def new_refresh_token(request: Any, refresh_token: bool = False) -> str:
    """`sr_` and 256 random bits."""
    return REFRESH_PREFIX + secrets.token_urlsafe(32)


def checksum(token: str) -> str:
    """A token as it is stored and looked up: SHA-256 in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class Validator(OAuth2Validator):
    """What oauthlib asks while it serves a request."""

    oidc_claim_scope = {"sub": "openid", "email": "email", "email_verified": "email"}

    def _load_application(self, client_id: str | None, request: Any) -> Any:
        # No id holds it, and PostgreSQL would refuse the question.
        return None if "\0" in (client_id or "") else super()._load_application(client_id, request)

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        return bool(stored_secret) and secrets.compare_digest(digest(provided_secret or ""), stored_secret)

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        """Always, and by S256 only (RFC 7636 §4.2). oauthlib's errors for another method."""
        challenge = getattr(request, "code_challenge", None)
        if challenge is not None and request.code_challenge_method != "S256":
            raise errors.InvalidRequestError(description="Use code_challenge_method=S256.", request=request)
        return True

    def validate_user(
        self, username: str, password: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Nobody: the password grant must not be used (RFC 9700 §2.4)."""
        return False

    def validate_scopes(
        self, client_id: str, scopes: Sequence[str], client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Whether the application may ask for these."""
        return bool(scopes) and all(covers(client.scopes, scope) for scope in scopes)

    def validate_code(
        self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Whether a code is good; one that comes again ends what it gave."""
        used = Grant.objects.filter(code=code, application=client, used_at__isnull=False).first()
        if used is not None:
            end_family(used.family)
            return False
        return bool(super().validate_code(client_id, code, client, request, *args, **kwargs))

    def invalidate_authorization_code(
        self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any
    ) -> None:
        """Done when the token was saved."""

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        """Spend what was sent, and keep what is given. oauthlib's InvalidGrantError when it was spent already."""
        with transaction.atomic():
            family, is_fresh = self._spend(request)
            if is_fresh:
                self._keep(token, request, family)
                return
        end_family(family)
        raise errors.InvalidGrantError(request=request)

    def _spend(self, request: Any) -> tuple[UUID, bool]:
        """The family of the new tokens, and whether what was sent had not been spent before."""
        now = datetime.now(UTC)
        if request.grant_type == "authorization_code":
            grant = Grant.objects.get(code=request.code, application=request.client)
            unused = Grant.objects.filter(pk=grant.pk, used_at=None)
            return grant.family, unused.update(used_at=now) == 1
        if request.grant_type == "refresh_token":
            sent = request.refresh_token_instance
            live = RefreshToken.objects.filter(pk=sent.pk, revoked=None)
            return sent.token_family, live.update(revoked=now) == 1
        return uuid4(), True

    def _keep(self, token: dict[str, Any], request: Any, family: UUID) -> None:
        is_for_itself = request.grant_type == "client_credentials"
        seconds = token.get("expires_in", oauth2_settings.ACCESS_TOKEN_EXPIRE_SECONDS)
        access = AccessToken(
            user=None if is_for_itself else request.user,
            application=request.client,
            scope=token["scope"],
            expires=datetime.now(UTC) + timedelta(seconds=seconds),
            family=family,
            password_mark="" if is_for_itself else password_mark(request.user),
            id_token=self._load_id_token(token["id_token"]) if "id_token" in token else None,
        )
        set_token_value(access, token["access_token"])
        access.save()
        if "refresh_token" in token:
            refresh = RefreshToken(
                user=request.user, application=request.client, access_token=access, token_family=family
            )
            set_token_value(refresh, token["refresh_token"])
            refresh.save()

    def revoke_token(
        self, token: str, token_type_hint: str | None, request: Any, *args: Any, **kwargs: Any
    ) -> None:
        """End the consent that a token of this application belongs to (RFC 7009); nothing for any other token."""
        held = checksum(token)
        found = AccessToken.objects.filter(token_checksum=held, application=request.client).first()
        refresh = RefreshToken.objects.filter(token_checksum=held, application=request.client).first()
        end_family(found.family if found else refresh.token_family if refresh else None)

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        """What an ID token and `/oauth/userinfo` say of a person; `sub` in place of the toolkit's, as introspection has it."""
        return {**claims_of(request.user), "sub": subject_of(request.user)}
