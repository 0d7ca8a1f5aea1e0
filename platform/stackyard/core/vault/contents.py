"""What is in a stored file, and what is said about it."""

from __future__ import annotations

from typing import IO, Any
from urllib.parse import quote

from django.conf import settings

from ..errors import Problem
from ..limits import OUTPUT_BYTES
from ..models import StoredFile
from .keeping import storage


def path_of(row: StoredFile) -> str:
    """Where it is served; private files need a signature there."""
    return f"/vault/{row.key}/{quote(row.name, safe='')}"


def as_json(row: StoredFile) -> dict[str, Any]:
    """What a stack, a record and a lambda know of a file: `{access, path, name, type, size, mime, meta, url}`.

    `type` is its kind; `url` is null for private files, which `sign_url` gives one for a while.
    """
    path = path_of(row)
    return {
        "access": row.access,
        "path": path,
        "name": row.name,
        "type": row.kind,
        "size": row.size,
        "mime": row.mime,
        "meta": row.meta,
        "url": f"{settings.PUBLIC_URL}{path}" if row.access == "public" else None,
    }


def open_file(row: StoredFile) -> IO[bytes]:
    """Its bytes. Problem `NOT_FOUND` when the storage has lost them."""
    try:
        opened: IO[bytes] = storage().open(row.place, "rb")
    except OSError:
        raise Problem("NOT_FOUND", "The bytes of this file are gone.") from None
    return opened


def read_bytes(row: StoredFile) -> bytes:
    """All of it, at most 10 MB. Problem `PAYLOAD_TOO_LARGE`, `NOT_FOUND`."""
    if row.size > OUTPUT_BYTES.default:
        raise Problem(
            "PAYLOAD_TOO_LARGE",
            f"A file of more than {OUTPUT_BYTES.default:,} bytes can't be read into a value.",
            suggestion="Give callers its URL instead.",
        )
    with open_file(row) as file:
        return file.read()
