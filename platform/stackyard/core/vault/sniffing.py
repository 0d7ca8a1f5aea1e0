"""What kind of file bytes are, whatever their sender says: by their first bytes, through the puremagic library."""

from __future__ import annotations

import mimetypes

import puremagic

SNIFFED_BYTES = 4096
UNKNOWN = "application/octet-stream"
# What has no mark of its own and is told by its name, once it is known to be text.
_TEXTS = frozenset({"text/plain", "text/csv", "text/markdown", "text/calendar", "application/json"})
# Containers that the first bytes do not tell apart; the name may, within the same family.
_FAMILIES = (
    frozenset({"audio/ogg", "video/ogg", "audio/x-opus+ogg", "application/ogg", "application/annodex"}),
    frozenset({"video/mp4", "audio/mp4", "audio/x-m4a", "video/quicktime"}),
    frozenset({"video/webm", "audio/webm", "video/x-matroska"}),
    frozenset(
        {
            "application/zip",
            "application/epub+zip",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.oasis.opendocument.text",
            "application/vnd.oasis.opendocument.spreadsheet",
        }
    ),
)


def mime_of(start: bytes, name: str) -> str:
    """The media type of a file by its first bytes. `name` only decides where these leave a choice."""
    named = mimetypes.guess_type(name)[0] or ""
    found = _by_bytes(start)
    if found is None:
        return (named if named in _TEXTS else "text/plain") if _is_text(start) else UNKNOWN
    for family in _FAMILIES:
        if found in family and named in family:
            return named
    # A docx is a zip, but a zip is not a docx.
    return "application/zip" if found in _FAMILIES[-1] else found


def _by_bytes(start: bytes) -> str | None:
    if start[:5].lower() in (b"<?xml", b"<html", b"<svg ") or b"<svg" in start[:1000]:
        return (
            "image/svg+xml"
            if b"<svg" in start
            else "text/html"
            if b"<html" in start[:1000].lower()
            else "text/xml"
        )
    try:
        matches = puremagic.magic_string(start)
    except (puremagic.PureError, ValueError):
        return None
    best = next((match for match in matches if match.mime_type), None)
    return best.mime_type if best is not None else None


def _is_text(start: bytes) -> bool:
    if not start:
        return True
    if b"\0" in start:
        return False
    try:
        start.decode()
    except UnicodeDecodeError as error:
        # The block may end in the middle of a character.
        return len(start) == SNIFFED_BYTES and error.start >= len(start) - 3
    return True


def kind_of(mime: str) -> str:
    """`image`, `video`, `audio` or `attachment`. An SVG is a program as well as a picture, so it counts as attachment."""
    family = mime.partition("/")[0]
    return family if family in ("image", "video", "audio") and mime != "image/svg+xml" else "attachment"


def matches(mime: str, wanted: str) -> bool:
    """Whether a type is one of `image/png`, `image/*`, `*/*`."""
    if wanted.endswith("/*"):
        return wanted == "*/*" or mime.startswith(wanted[:-1])
    return mime == wanted.lower()
