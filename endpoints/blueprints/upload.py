"""Upload content: an endpoint that takes a file and keeps it."""

from __future__ import annotations

import re
from typing import Any

from stackyard.core.errors import Detail, invalid_input
from stackyard.core.limits import REQUEST_BYTES
from stackyard.core.vault.keeping import ACCESS, KINDS

from . import Asked, Blueprint, Document, Option, endpoint_document, expression, line

_SEGMENT = re.compile(r"[a-z][a-z0-9_-]{0,40}\Z")
_FORM_BYTES = 100_000
"""What a form has around its file."""


class UploadContent(Blueprint):
    """An endpoint that takes a file out of a multipart form, checks its type and size, and keeps it. Its answer is the object
    that fields of the types file, image, video, audio and attachment hold.
    """

    name = "upload"
    label = "Upload content"
    icon = "upload"
    sentence = "Take a file and keep it"
    takes_table = False
    options = (
        Option("kind", "What is taken.", "attachment", choices=KINDS),
        Option("access", "Who may open what is kept: private files need sign_url.", "public", choices=ACCESS),
        Option("max_megabytes", "How large a file may be.", "9"),
        Option("name", "The endpoint's address; without one /upload/image and so on."),
    )

    def make(self, asked: Asked) -> list[Document]:
        options = asked.options
        kind, size = options["kind"], _bytes(options["max_megabytes"])
        name = options["name"] or f"upload/{kind}"
        if options["name"] and not _SEGMENT.match(options["name"]):
            message = "use a-z, 0-9, _ and -, such as avatar"
            raise invalid_input([Detail("options.name", "format", message)])
        keep = line(
            "create_file", "kept", kind=kind, value=expression("input.content"), access=options["access"]
        )
        content: dict[str, Any] = {"type": kind, "required": True, "max_size": size}
        document = endpoint_document(
            re.sub(r"[^a-z0-9]", "_", name),
            "POST",
            f"/{name}",
            f"Keeps one {kind} of a multipart form; the answer is what records hold of it.",
            inputs={"content": {**content, "description": f"The {kind}, as a file of the form."}},
            lines=[keep, line("set_status", status=201)],
            response=expression("kept"),
        )
        return [{**document, "request_bytes": size + _FORM_BYTES}]


def _bytes(text: str) -> int:
    most = (REQUEST_BYTES.maximum - _FORM_BYTES) // 1_000_000
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= most):
        message = f"is a whole number from 1 to {most}"
        raise invalid_input([Detail("options.max_megabytes", "range", message)])
    return int(text) * 1_000_000
