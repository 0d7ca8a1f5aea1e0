"""Upload: a file that came with a request. Only the reader of multipart bodies makes one; no JSON can."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from .sniffing import SNIFFED_BYTES, mime_of

_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\\u202a-\u202e\u2066-\u2069]")


class Upload(dict[str, Any]):
    """What expressions see of an uploaded file: `{name, size, mime}`; `file` holds the bytes until the request ends."""

    def __init__(self, file: UploadedFile[Any]) -> None:
        name = clean_name(file.name or "")
        start = file.read(SNIFFED_BYTES)
        file.seek(0)
        super().__init__(name=name, size=file.size, mime=mime_of(start, name))
        self.file = file

    def digest(self) -> str:
        """SHA-256 of the bytes, in hexadecimal."""
        made = hashlib.sha256()
        for block in self.blocks():
            made.update(block)
        return made.hexdigest()

    def blocks(self) -> Iterator[bytes]:
        """The bytes from the start, a block at a time."""
        self.file.seek(0)
        yield from self.file.chunks()
        self.file.seek(0)

    def close(self) -> None:
        """Let go of the bytes; a file on disk is removed."""
        self.file.close()


def clean_name(name: str) -> str:
    """A file's name for showing and downloading, never for a path: no separators, nothing that is not seen, 1 to 150 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    cleaned = _UNSAFE.sub("", unicodedata.normalize("NFC", last)).strip().strip(".")
    if len(cleaned) > 150:
        stem, dot, ending = cleaned.rpartition(".")
        cleaned = f"{stem[: 149 - len(ending)]}.{ending}" if dot and len(ending) < 20 else cleaned[:150]
    return cleaned or "file"


def uploads_in(values: Any) -> Iterator[Upload]:
    """Every upload among the values of a form."""
    parts: Iterable[Any] = values.values() if isinstance(values, Mapping) else values
    for part in parts:
        if isinstance(part, Upload):
            yield part
        elif isinstance(part, list):
            yield from uploads_in(part)
