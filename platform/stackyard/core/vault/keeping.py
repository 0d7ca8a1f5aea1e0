"""The one door to stored files: make, find, delete. The row is the file; its bytes come before it and go after it."""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.db.models import Sum

from ..errors import Problem
from ..limits import FILE_BYTES
from ..models import StoredFile
from .images import MIMES, measure
from .sniffing import SNIFFED_BYTES, kind_of, mime_of
from .uploads import Upload, clean_name

KINDS = ("attachment", "image", "video", "audio")
ACCESS = ("public", "private")
PATH = re.compile(r"/vault/([A-Za-z0-9_-]{24})/[^/]{1,1000}\Z")


def storage() -> Storage:
    """Where the bytes are (the setting STORAGES["files"])."""
    return storages["files"]


def create(
    workspace_id: int,
    content: Upload | bytes,
    *,
    kind: str = "attachment",
    access: str = "public",
    name: str | None = None,
    creator: str = "",
) -> StoredFile:
    """Keep a file. Its type is what its bytes say; pictures are measured.

    Problem `FILE_REFUSED` (422) when it is not of the kind, `PAYLOAD_TOO_LARGE` past the limit, `STORAGE_FULL` (507)
    when the workspace's files or the disk have no room for it.
    """
    if kind not in KINDS or access not in ACCESS:
        raise Problem("INVALID_INPUT", f"A file is one of {', '.join(KINDS)}, and {' or '.join(ACCESS)}.")
    file = content.file if isinstance(content, Upload) else File(io.BytesIO(content))
    size = content["size"] if isinstance(content, Upload) else len(content)
    if size > FILE_BYTES.default:
        raise Problem("PAYLOAD_TOO_LARGE", f"A file has at most {FILE_BYTES.default:,} bytes.")
    _check_quota(workspace_id, size)
    shown = clean_name(name or (content["name"] if isinstance(content, Upload) else "file"))
    file.seek(0)
    mime = mime_of(file.read(SNIFFED_BYTES), shown)
    file.seek(0)
    meta = _meta(kind, mime, file)
    key = secrets.token_urlsafe(18)
    row = StoredFile(
        workspace_id=workspace_id,
        key=key,
        name=shown,
        kind=kind,
        access=access,
        mime=mime,
        size=size,
        meta=meta,
        creator=creator[:120],
        place=f"{workspace_id}/{key[:2].lower()}/{key}",
    )
    row.place = _save(row.place, file)
    row.save()
    return row


def used_bytes(workspace_id: int) -> int:
    """How many bytes a workspace's files have together."""
    found = StoredFile.objects.filter(workspace_id=workspace_id).aggregate(sum=Sum("size"))
    return int(found["sum"] or 0)


def _check_quota(workspace_id: int, size: int) -> None:
    """Several who come at the same moment may pass it by what each brings; the next is refused."""
    most = settings.FILES_BYTES
    if used_bytes(workspace_id) + size > most:
        raise Problem(
            "STORAGE_FULL",
            f"The files of a workspace have at most {most:,} bytes.",
            status=507,
            suggestion="Delete files that nobody needs, or raise STACKYARD_FILES_BYTES.",
        )


def _meta(kind: str, mime: str, file: Any) -> dict[str, Any]:
    if kind == "image" or (kind == "attachment" and mime in MIMES):
        try:
            return measure(file)
        except Problem:
            if kind == "image":
                raise
            return {}
    if kind in ("video", "audio") and kind_of(mime) not in ("video", "audio"):
        raise Problem("FILE_REFUSED", f"This is no {kind}: its type is {mime}.", status=422)
    return {}


def _save(place: str, file: Any) -> str:
    try:
        return storage().save(place, file)
    except OSError as error:
        raise Problem(
            "STORAGE_FULL",
            "The file cannot be kept now.",
            status=507,
            suggestion="Look whether the disk is full or may not be written.",
        ) from error


def find(workspace_id: int, file: Any) -> StoredFile:
    """The file that a path (`/vault/…`), a URL that ends in one, or a stored object names. Problem `NOT_FOUND`."""
    key = key_of(file)
    row = StoredFile.objects.filter(workspace_id=workspace_id, key=key).first() if key else None
    if row is None:
        raise Problem("NOT_FOUND", "There is no such file.", suggestion="Give the path or object of a file.")
    return row


def key_of(file: Any) -> str | None:
    """The key in a path, a URL or a stored object; None when there is none."""
    if isinstance(file, Mapping):
        file = file.get("path")
    if not isinstance(file, str):
        return None
    path = file.partition("?")[0]
    found = PATH.match(path[path.find("/vault/") :]) if "/vault/" in path else None
    return found[1] if found else None


def delete(row: StoredFile) -> None:
    """Remove a file: its row now, its bytes when that is committed."""
    place = row.place
    with transaction.atomic():
        StoredFile.objects.filter(pk=row.pk).delete()
        transaction.on_commit(lambda: remove_bytes(place), robust=True)


def remove_bytes(place: str) -> None:
    """Remove bytes from the storage; gone already is as good."""
    storage().delete(place)
