"""API keys: made, shown once, found by digest, revoked.

A key is `sy_`, 32 random bytes in URL-safe base64, and six characters of CRC-32 by which a scanner can tell a
leaked key from a random text. Only its SHA-256 is stored: with 256 random bits no slower hash is needed.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from stackyard.core import version
from stackyard.core.client_address import Network, client_address, is_within, networks_of
from stackyard.core.errors import Detail, Problem, invalid_input
from stackyard.core.models import Workspace
from stackyard.core.principal import Principal
from stackyard.core.secrets import digest

from .models import ApiKey

PREFIX = "sy_"
_KEPT_KEYS = 20_000
_USE_SECONDS = 60
_SCOPE = re.compile(r"\*\Z|[a-z][a-z0-9_-]{0,62}(:read|/[A-Za-z_][A-Za-z0-9_]{0,62})?\Z")


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key that is valid now. `expires_at` is in epoch seconds."""

    id: int
    workspace_id: int
    scopes: frozenset[str]
    expires_at: float | None
    principal: Principal
    networks: tuple[Network, ...] = ()

    def allows(self, group: str, endpoint: str, reads: bool) -> bool:
        """Whether the scopes cover a call of this endpoint; `reads` for GET and HEAD (contract §3)."""
        scopes = self.scopes
        return (
            "*" in scopes
            or group in scopes
            or (reads and f"{group}:read" in scopes)
            or f"{group}/{endpoint}" in scopes
        )


def create_key(
    workspace: Workspace,
    name: str,
    scopes: Iterable[str] = ("*",),
    expires_at: datetime | None = None,
    created_by: Any = None,
    addresses: Iterable[str] = (),
) -> tuple[ApiKey, str]:
    """A new key and its text, which nobody can see again. Problem `INVALID_INPUT` for a scope or address that can't be."""
    text = _new_text()
    key = ApiKey.objects.create(
        workspace=workspace,
        name=name,
        prefix=text[:11],
        digest=digest(text),
        scopes=check_scopes(scopes),
        addresses=check_addresses(addresses),
        created_by=created_by,
        expires_at=expires_at,
    )
    return key, text


def change_key(
    key: ApiKey, scopes: Iterable[str], expires_at: datetime | None, addresses: Iterable[str] = ()
) -> None:
    """Give a key other rights, another end or other addresses; holds within a second, everywhere."""
    with transaction.atomic():
        key.scopes, key.expires_at = check_scopes(scopes), expires_at
        key.addresses = check_addresses(addresses)
        key.save(update_fields=["scopes", "expires_at", "addresses"])
        version.bump()


def revoke_key(key: ApiKey) -> None:
    """End a key for good; holds within a second, everywhere."""
    with transaction.atomic():
        key.revoked_at = datetime.now(UTC)
        key.save(update_fields=["revoked_at"])
        version.bump()


def check_scopes(scopes: Iterable[str]) -> list[str]:
    """The scopes as they are stored. Problem `INVALID_INPUT` with every one that has no known form."""
    known = list(dict.fromkeys(scopes))
    wrong = [scope for scope in known if not isinstance(scope, str) or not _SCOPE.match(scope)]
    if wrong or not known:
        rule = "use *, GROUP, GROUP:read, GROUP/ENDPOINT or meta"
        raise invalid_input([Detail("scopes", "scope", f'"{scope}": {rule}') for scope in wrong or [""]])
    return known


def check_addresses(addresses: Iterable[str]) -> list[str]:
    """Addresses and networks as they are stored. Problem `INVALID_INPUT` with every one that is none."""
    known = list(dict.fromkeys(addresses))
    details = []
    for text in known:
        try:
            networks_of((text,))
        except (ValueError, AttributeError):
            message = f"{text!r} is no address: write 203.0.113.7, 10.0.0.0/8 or 2001:db8::/32"
            details.append(Detail("addresses", "address", message))
    if details:
        raise invalid_input(details)
    return known


def looks_like_key(text: str) -> bool:
    """Whether a bearer is one of our keys by its form."""
    return text.startswith(PREFIX)


def has_checksum(text: str) -> bool:
    """Whether the last six characters fit the rest: what a scanner for leaked keys asks."""
    return looks_like_key(text) and secrets.compare_digest(_checksum(text[:-6]), text[-6:])


def _new_text() -> str:
    body = PREFIX + secrets.token_urlsafe(32)
    return body + _checksum(body)


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode()).to_bytes(4, "big")
    return base64.urlsafe_b64encode(number).decode().rstrip("=")


def _no_keys() -> dict[bytes, FoundKey | None]:
    return {}


# Empty after every change in the installation, then filled key by key, wrong ones included.
_found: version.Current[dict[bytes, FoundKey | None]] = version.Current(_no_keys)


def find_key(text: str) -> FoundKey | None:
    """The valid key of this text, or None for one that is wrong, revoked or expired.

    Every text takes the same way: hashed, looked up by its digest, so time tells nothing about other keys.
    """
    held = _found.get()
    hashed = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    try:
        key = held[hashed]
    except KeyError:
        if len(held) >= _KEPT_KEYS:
            held.clear()
        key = held[hashed] = _load(hashed)
    if key is None or (key.expires_at is not None and key.expires_at <= time.time()):
        return None
    _uses.note(hashed, key.id)
    return key


def _load(hashed: bytes) -> FoundKey | None:
    stored = base64.urlsafe_b64encode(hashed).decode().rstrip("=")
    row = (
        ApiKey.objects.filter(digest=stored, revoked_at=None)
        .values_list("pk", "workspace_id", "scopes", "expires_at", "name", "addresses")
        .first()
    )
    return None if row is None else _found_key(*row)


def _found_key(
    pk: int, workspace_id: int, scopes: Any, expires_at: datetime | None, name: str, addresses: Any
) -> FoundKey:
    principal = Principal("api_key", pk, workspace_id, frozenset(scopes), label=name)
    ends = expires_at.timestamp() if expires_at is not None else None
    networks = networks_of(tuple(addresses))
    return FoundKey(pk, workspace_id, frozenset(scopes), ends, principal, networks)


def valid_keys(workspace_id: int) -> list[FoundKey]:
    """The keys of a workspace that are valid now, by name: for trying a stack as one of them, without its text."""
    rows = ApiKey.objects.filter(workspace_id=workspace_id, revoked_at=None).order_by("name", "pk")
    values = rows.values_list("pk", "workspace_id", "scopes", "expires_at", "name", "addresses")
    keys = [_found_key(*row) for row in values]
    return [key for key in keys if key.expires_at is None or key.expires_at > time.time()]


class _Uses:
    """When each key was last used, told to the database at most once a minute and outside of any request."""

    def __init__(self) -> None:
        self._told: dict[bytes, float] = {}
        self._waiting: dict[int, float] = {}
        self._lock = threading.Lock()

    def note(self, hashed: bytes, key_id: int) -> None:
        """A key was used now."""
        now = time.time()
        if now - self._told.get(hashed, 0.0) >= _USE_SECONDS:
            with self._lock:
                if len(self._told) >= _KEPT_KEYS:
                    self._told.clear()
                self._told[hashed] = now
                self._waiting[key_id] = now

    def write(self) -> int:
        """Write what waits; the number of keys written. Another process may have written a moment ago."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for key_id, used_at in waiting.items():
            moment = datetime.fromtimestamp(used_at, UTC)
            older = Q(last_used_at=None) | Q(last_used_at__lt=moment)
            ApiKey.objects.filter(older, pk=key_id).update(last_used_at=moment)
        return len(waiting)


_uses = _Uses()


def write_uses() -> int:
    """Write `last_used_at` of the keys used since; called by the history's writer, never by a request."""
    return _uses.write()


def find_valid(text: str, workspace_id: int, environ: Mapping[str, Any]) -> FoundKey:
    """The key of this text in this workspace, sent by the caller of `environ` (WSGI).

    Problem `UNAUTHORIZED` for any other, whatever is wrong with it; `ACCESS_DENIED` from an address it is not for.
    """
    key = find_key(text)
    if key is None or key.workspace_id != workspace_id:
        raise Problem(
            "UNAUTHORIZED", "The API key is not valid here.", suggestion="Check that it was not revoked."
        )
    check_place(key, environ)
    return key


def check_place(key: FoundKey, environ: Mapping[str, Any]) -> None:
    """Problem `ACCESS_DENIED` when a key is used from an address that it is not for."""
    if key.networks and not is_within(client_address(environ), key.networks):
        raise Problem(
            "ACCESS_DENIED",
            "This API key may not be used from this address.",
            suggestion="Its owner can add the address to the key.",
        )
