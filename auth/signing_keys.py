"""The keys that sign tokens: their own, never SECRET_KEY; the first signs, all verify, so rotation is a new first line.

Kept in the home as `keys/tokens`, a line a key: `KID SECRET`, 256 random bits each, for HS256 (RFC 7518 §3.2).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.db import transaction

from stackyard.core import version
from stackyard.core.secrets import write_private

KEPT = 3
"""How many keys verify: the one that signs, and those before it whose tokens may still be in use."""


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """`signing` is the id of the key that signs; `secrets` are all, by id."""

    signing: str
    secrets: Mapping[str, str]


def identity_key() -> str:
    """The RSA key that signs ID tokens, as PEM; in the home as `keys/identity`, made at its first use."""
    path: Path = settings.HOME / "keys" / "identity"
    if not path.exists():
        pem = generate_private_key(65537, 2048).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        write_private(path, pem.decode())
    return path.read_text()


def _path() -> Path:
    path: Path = settings.HOME / "keys" / "tokens"
    return path


def _new_line() -> str:
    return f"{secrets.token_hex(4)} {secrets.token_urlsafe(32)}"


def _load() -> SigningKeys:
    path = _path()
    if not path.exists():
        write_private(path, _new_line() + "\n")
    pairs = [line.split() for line in path.read_text().splitlines() if line.strip()]
    return SigningKeys(pairs[0][0], dict(pairs))


current: version.Current[SigningKeys] = version.Current(_load)
"""The keys now; read again in every process within a second of a rotation."""


def rotate() -> str:
    """Sign with a new key from now on; its id. Tokens of the keys before it stay good until they expire."""
    before = _path().read_text().splitlines() if _path().exists() else []
    with transaction.atomic():
        line = _new_line()
        write_private(_path(), "\n".join([line, *before][:KEPT]) + "\n")
        version.bump()
    return line.split()[0]
