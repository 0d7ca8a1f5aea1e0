"""`/vault/<key>/<name>`: stored files over HTTP. Nothing in them runs: active types are downloads, all is sandboxed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from ..answers import only_reads
from ..errors import Problem
from ..models import StoredFile
from .contents import open_file
from .images import MIMES
from .links import may_open

_SHOWN = MIMES | {"text/plain", "image/x-icon"}
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")
_BLOCK = 65_536


@only_reads
def serve(request: HttpRequest, key: str, name: str) -> HttpResponseBase:
    """A file, whole or a range of it (RFC 9110 §14); `name` is only for those who read the address."""
    row = StoredFile.objects.filter(key=key).first()
    if row is None:
        raise Problem("NOT_FOUND", "There is no such file.")
    private = row.access == "private"
    if private and not may_open(row, request.GET.get("expires", ""), request.GET.get("signature", "")):
        raise Problem("ACCESS_DENIED", "This file is private, and the link is not, or no longer, good.")
    headers = _headers(row, private)
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return HttpResponse(status=304, headers=headers)
    return _body(request, row, headers)


def _headers(row: StoredFile, private: bool) -> dict[str, str]:
    shown = row.mime in _SHOWN or row.mime.startswith(("audio/", "video/"))
    disposition = content_disposition_header(not shown, row.name) or "attachment"
    return {
        "Content-Type": f"{row.mime}; charset=utf-8" if row.mime.startswith("text/") else row.mime,
        "Content-Disposition": disposition,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "*",
        "Accept-Ranges": "bytes",
        "ETag": f'"{row.key}"',
        "Cache-Control": "private, no-store" if private else "public, max-age=3600",
        "Referrer-Policy": "no-referrer",
    }


def _body(request: HttpRequest, row: StoredFile, headers: dict[str, str]) -> HttpResponseBase:
    wanted = request.headers.get("Range")
    if wanted is not None and request.headers.get("If-Range") in (None, headers["ETag"]):
        found = _range(wanted, row.size)
        if found is not None:
            return _part(row, headers, *found)
    answer = FileResponse(open_file(row), headers={"Content-Length": str(row.size)})
    # FileResponse works out its own from the storage's name, which says nothing.
    for name, value in headers.items():
        answer.headers[name] = value
    return answer


def _range(text: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a range; None for what is no single range, which is then ignored."""
    found = _RANGE.match(text.strip())
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        first, last = max(size - int(found[2]), 0), size - 1
    else:
        first, last = int(found[1]), min(int(found[2]) if found[2] else size - 1, size - 1)
    if first >= size or (found[1] == "" and int(found[2]) == 0):
        raise Problem(
            "RANGE_NOT_SATISFIABLE",
            "The file is shorter than that.",
            status=416,
            headers={"Content-Range": f"bytes */{size}"},
        )
    return (first, last) if first <= last else None


def _part(row: StoredFile, headers: dict[str, str], first: int, last: int) -> HttpResponseBase:
    length = last - first + 1
    more = {"Content-Range": f"bytes {first}-{last}/{row.size}", "Content-Length": str(length)}
    return StreamingHttpResponse(
        _blocks(open_file(row), first, length), status=206, headers={**headers, **more}
    )


def _blocks(file: IO[bytes], first: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(first)
        while length > 0:
            block = file.read(min(length, _BLOCK))
            if not block:
                return
            length -= len(block)
            yield block
