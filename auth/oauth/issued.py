"""Access tokens as endpoints see them: found by digest, kept until anything in the installation ends or changes."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stackyard.core import version
from stackyard.core.data_source import LIVE
from stackyard.core.principal import Principal
from stackyard.tables.schema import load_schema

from ..holders import is_auth_enabled
from .models import AccessToken
from .scopes import common, opens
from .validator import ACCESS_PREFIX

_KEPT = 20_000
_ROW = (
    "application__workspace_id",
    "application__scopes",
    "application__client_id",
    "application__name",
    "application_id",
    "scope",
    "expires",
    "user__workspace_id",
    "user__table_id",
    "user__record_id",
)


@dataclass(frozen=True, slots=True)
class FoundToken:
    """A token that is valid now, for one workspace. `expires_at` is in epoch seconds."""

    workspace_id: int
    scopes: frozenset[str]
    expires_at: float
    principal: Principal

    def allows(self, group: str, endpoint: str, reads: bool) -> bool:
        """Whether the scopes cover a call of this endpoint; `reads` for GET and HEAD."""
        return opens(self.scopes, group, endpoint, reads)


def looks_like_access_token(text: str) -> bool:
    """Whether a bearer is an OAuth access token by its form."""
    return text.startswith(ACCESS_PREFIX)


def _nothing() -> dict[bytes, FoundToken | None]:
    return {}


# Empty after every change in the installation, an ended consent among them; wrong texts are kept as well.
_found: version.Current[dict[bytes, FoundToken | None]] = version.Current(_nothing)


def find_token(text: str) -> FoundToken | None:
    """The valid token of this text, or None for one that is wrong, ended or out of date."""
    held = _found.get()
    hashed = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    try:
        token = held[hashed]
    except KeyError:
        if len(held) >= _KEPT:
            held.clear()
        token = held[hashed] = _load(hashed)
    if token is None or token.expires_at <= time.time():
        return None
    return token


def _load(hashed: bytes) -> FoundToken | None:
    rows = AccessToken.objects.filter(token_checksum=hashed.hex(), application__revoked_at=None)
    row = rows.values_list(*_ROW).first()
    return _token(*row) if row is not None and row[0] is not None else None


def _token(
    workspace_id: int,
    allowed: list[str],
    client_id: str,
    client_name: str,
    client: int,
    scope: str,
    expires: datetime,
    of_workspace: int | None,
    table_id: int | None,
    record_id: int | None,
) -> FoundToken | None:
    # What was taken away from an application is taken away from its tokens too.
    scopes = common(scope.split(), allowed)
    extras: dict[str, Any] = {"client_id": client_id}
    principal = Principal("client", client, workspace_id, scopes, extras=extras, label=client_name)
    if record_id is not None:
        table = load_schema(workspace_id).tables_by_id.get(table_id or 0)
        if of_workspace != workspace_id or table is None or not is_auth_enabled(table):
            return None
        principal = Principal(
            "user",
            record_id,
            workspace_id,
            scopes,
            table.name,
            extras,
            f"{table.name} {record_id}",
            data_source=LIVE,
        )
    return FoundToken(workspace_id, scopes, expires.timestamp(), principal)
