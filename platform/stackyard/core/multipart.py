"""multipart/form-data (RFC 7578), read by Django's parser as it comes in: large files go to disk, not into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFilesSent
from django.core.files.uploadhandler import MemoryFileUploadHandler, TemporaryFileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from .errors import Problem
from .limits import FORM_FIELDS
from .vault.uploads import Upload


class BoundedStream:
    """A request's body as a stream that ends where it should.

    `stated` is its Content-Length, None for a chunked body. Problem `PAYLOAD_TOO_LARGE` past `limit` bytes,
    `INVALID_INPUT` when it ends before its stated length.
    """

    def __init__(self, read: Callable[[int], bytes], stated: int | None, limit: int) -> None:
        self._read = read
        self._stated = stated
        self._limit = limit
        self.count = 0

    def read(self, size: int = 65_536, /) -> bytes:
        """At most `size` bytes; none at the end."""
        left = (self._limit + 1 if self._stated is None else self._stated) - self.count
        block = self._read(min(size, left)) if left > 0 else b""
        self.count += len(block)
        if self.count > self._limit:
            raise Problem("PAYLOAD_TOO_LARGE", f"The body is larger than {self._limit:,} bytes.")
        if not block and self._stated is not None and self.count < self._stated:
            raise Problem("INVALID_INPUT", f"The body ended after {self.count} of {self._stated} bytes.")
        return block


def parts_of(stream: Any, length: int, content_type: str) -> Iterator[tuple[str, Any]]:
    """Name and value of every part, a text or an `Upload`. `length` is how many bytes come at most.

    Problem `INVALID_INPUT` for what is no form, and for fields that are no UTF-8; `PAYLOAD_TOO_LARGE`.
    """
    meta: Mapping[str, Any] = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": length}
    handlers = [MemoryFileUploadHandler(), TemporaryFileUploadHandler()]
    try:
        fields, files = MultiPartParser(meta, stream, handlers, "utf-8").parse()
    except RequestDataTooBig:
        raise Problem("PAYLOAD_TOO_LARGE", "A field of the form is too large.") from None
    except (MultiPartParserError, TooManyFilesSent, SuspiciousOperation) as error:
        raise Problem("INVALID_INPUT", f"The form cannot be read: {error}") from None
    pairs = [(name, value) for name, values in fields.lists() for value in values]
    if len(pairs) > FORM_FIELDS.default:
        raise Problem("INVALID_INPUT", f"More than {FORM_FIELDS.default:,} fields came in one request.")
    for name, value in pairs:
        # Django puts U+FFFD where the bytes are not UTF-8.
        if "\ufffd" in name or "\ufffd" in value or "\0" in name or "\0" in value:
            raise Problem("INVALID_INPUT", "A field of the form is not valid UTF-8 text.")
    yield from pairs
    for name, uploads in files.lists():
        for upload in uploads:
            yield name, Upload(upload)
