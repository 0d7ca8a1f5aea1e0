"""Tokens: simplejwt's, signed by our own keys, for one workspace.

An access token says who calls (RFC 7519): `iss` the installation, `aud` the workspace, `sub` table and record,
`sid` the sign-in it belongs to, `ext` what the stack put in. The algorithm is ours, never the header's; `kid` only
looks up our own keys; no other header counts. Times are numbers: PyJWT takes a text for one, we do not (CVE-2026-54238).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError
from rest_framework_simplejwt.tokens import Token

from stackyard.core.data_source import LIVE, TEST
from stackyard.core.errors import Problem
from stackyard.tables.definitions import Schema, TableDef

from . import signing_keys

ALGORITHM = "HS256"
ACCESS_SECONDS = 3600
ACCESS_SECONDS_AT_MOST = 86_400
REFRESH_SECONDS = 30 * 86_400
_NUMBERS = ("exp", "iat")
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "jti", "sid"]


class WorkspaceBackend(TokenBackend):
    """simplejwt's way to sign and verify, with the key the token names, for one audience."""

    def __init__(self, workspace_id: int) -> None:
        super().__init__(
            ALGORITHM,
            signing_key="",
            audience=f"workspace:{workspace_id}",
            issuer=settings.PUBLIC_URL,
        )

    def encode(self, payload: dict[str, Any]) -> str:
        """Sign with the key of the day."""
        keys = signing_keys.current.get()
        claims = {**payload, "aud": self.audience, "iss": self.issuer}
        return jwt.encode(claims, keys.secrets[keys.signing], ALGORITHM, {"kid": keys.signing})

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """The claims. TokenBackendError for a token that is not ours, not for this workspace, or out of date."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            secret = signing_keys.current.get().secrets.get(kid) if isinstance(kid, str) else None
            if secret is None:
                raise TokenBackendError("unknown key")
            claims: dict[str, Any] = jwt.decode(
                token,
                secret,
                algorithms=[ALGORITHM],
                audience=self.audience,
                issuer=self.issuer,
                options={"require": _REQUIRED},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise TokenBackendError(str(error)) from None
        if any(type(claims[name]) is not int for name in _NUMBERS):
            raise TokenBackendError("times are numbers")
        return claims


class WorkspaceToken(Token):
    """A token of one workspace. `token` is a text to verify (TokenError), or None for a new one."""

    workspace_id: int

    def __init__(self, workspace_id: int, token: str | None = None) -> None:
        self.workspace_id = workspace_id
        super().__init__(token)  # type: ignore[arg-type]

    def get_token_backend(self) -> TokenBackend:
        """Ours."""
        return WorkspaceBackend(self.workspace_id)

    @property
    def token_backend(self) -> TokenBackend:
        """Ours."""
        return self.get_token_backend()


class AccessToken(WorkspaceToken):
    """Says who calls, for an hour unless the stack asks for another time."""

    token_type = "access"
    lifetime = timedelta(seconds=ACCESS_SECONDS)


class RefreshToken(WorkspaceToken):
    """Is exchanged once for a new pair."""

    token_type = "refresh"
    lifetime = timedelta(seconds=REFRESH_SECONDS)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a token is: a record of an auth-enabled table.

    `table_id` is negative for a record of test data, so that it is never taken for the live one of the same id.
    """

    workspace_id: int
    table_id: int
    record_id: int

    @classmethod
    def of(cls, schema: Schema, table: TableDef, record_id: int) -> Holder:
        """The holder that a record is, in the data source of the schema."""
        return cls(schema.workspace_id, table.id if schema.source == LIVE else -table.id, record_id)

    @property
    def source(self) -> str:
        """The data source that the record belongs to."""
        return LIVE if self.table_id > 0 else TEST

    @property
    def subject(self) -> str:
        """The claim `sub`."""
        return f"{self.table_id}:{self.record_id}"


@dataclass(frozen=True, slots=True)
class Claims:
    """A verified token. `expires_at` is in epoch seconds."""

    holder: Holder
    family: str
    id: str
    extras: Mapping[str, Any]
    expires_at: int


def looks_like_token(text: str) -> bool:
    """Whether a bearer is a JSON web token by its form: three parts."""
    return text.count(".") == 2


def write(
    kind: type[WorkspaceToken],
    holder: Holder,
    family: str,
    extras: Mapping[str, Any],
    seconds: int,
    token_id: str | None = None,
) -> str:
    """A signed token that lives `seconds`."""
    token = kind(holder.workspace_id)
    token.set_exp(lifetime=timedelta(seconds=seconds))
    token["sub"], token["sid"] = holder.subject, family
    if token_id is not None:
        token["jti"] = token_id
    if extras:
        token["ext"] = dict(extras)
    return str(token)


def read(kind: type[WorkspaceToken], text: str, workspace_id: int) -> Claims:
    """Verify a token. Problem `UNAUTHORIZED` for any that is not good now, whatever is wrong with it."""
    try:
        payload = kind(workspace_id, text).payload
        table, record = (int(part) for part in str(payload["sub"]).split(":"))
    except (TokenError, ValueError):
        raise refused() from None
    extras = payload.get("ext")
    holder = Holder(workspace_id, table, record)
    return Claims(
        holder,
        str(payload["sid"]),
        str(payload["jti"]),
        extras if isinstance(extras, dict) else {},
        payload["exp"],
    )


def refused() -> Problem:
    """401 for a token, without a word on what is wrong with it (RFC 6750 §3.1)."""
    return Problem(
        "UNAUTHORIZED",
        "The token is not valid here, or not any more.",
        suggestion="Log in again, or exchange the refresh token for a new pair.",
        headers={"WWW-Authenticate": 'Bearer realm="api", error="invalid_token"'},
    )
