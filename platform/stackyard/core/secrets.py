"""Secrets are a type: a value that can be used but not shown, and its form at rest.

At rest: Fernet tokens (AES-128-CBC + HMAC-SHA256, https://github.com/fernet/spec) made by the
`cryptography` library's MultiFernet, with keys of their own in `$STACKYARD_HOME/keys`, never
SECRET_KEY. The first line encrypts, all lines decrypt: rotation is a new first line.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets as random
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from .errors import Problem

MASK = "••••••"


class Secret:
    """A text that prints as a mask. Only `reveal()` gives it away, so every use can be found by its name."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself."""
        return self._value

    def __str__(self) -> str:
        return MASK

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and random.compare_digest(
            self._value.encode(), other._value.encode()
        )

    def __hash__(self) -> int:
        return hash(("Secret", self._value))


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner can read (mode 0600), whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(path.name + ".new")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    staged.replace(path)


def kept_random(name: str) -> str:
    """A random text of 43 characters kept in the home under `keys/NAME`, made on first use."""
    path = settings.HOME / "keys" / name
    if not path.exists():
        write_private(path, random.token_urlsafe(32))
    return path.read_text().strip()


@lru_cache(maxsize=1)
def _fernet() -> MultiFernet:
    path = settings.HOME / "keys" / "secrets"
    if not path.exists():
        write_private(path, Fernet.generate_key().decode())
    return MultiFernet([Fernet(line) for line in path.read_text().split()])


def encrypt(text: str) -> str:
    """Text to its form at rest."""
    return _fernet().encrypt(text.encode()).decode()


def decrypt(token: str) -> Secret:
    """The form at rest back to a Secret. Problem `INTERNAL_ERROR` when no key of the home opens it."""
    try:
        return Secret(_fernet().decrypt(token.encode()).decode())
    except InvalidToken:
        raise Problem(
            "INTERNAL_ERROR",
            "A stored secret cannot be opened with the keys of this installation.",
            suggestion="Put back the file keys/secrets of the home that the database belongs to.",
        ) from None


def encrypt_bytes(raw: bytes) -> bytes:
    """Bytes to their form at rest."""
    return _fernet().encrypt(raw)


def decrypt_bytes(token: bytes) -> bytes | None:
    """The form at rest back to bytes; None when no key of the home opens it."""
    try:
        return _fernet().decrypt(token)
    except InvalidToken:
        return None


def digest(text: str) -> str:
    """SHA-256 in URL-safe base64: how a key with 256 random bits is stored and looked up."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
