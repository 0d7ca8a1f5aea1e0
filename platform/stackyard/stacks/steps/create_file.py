"""Keep a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import types as t
from stackyard.core.vault.keeping import ACCESS, KINDS

from .. import stored_files
from ..check import StackChecker
from ..execution import Execution
from ..parameters import Constant, Value
from ..step import Line, Step

STORED = t.object_of(
    {
        "access": t.TEXT,
        "path": t.TEXT,
        "name": t.TEXT,
        "type": t.TEXT,
        "size": t.INT,
        "mime": t.TEXT,
        "meta": t.OBJECT,
        "url": t.TEXT.or_null(),
    }
)


def create_file(execution: Execution, kind: str, value: Any, access: str, name: Any) -> dict[str, Any]:
    """Keep it."""
    return stored_files.create(execution, value, kind, access, name)


class CreateFile(Step):
    """Keep an uploaded file, a text or bytes. Gives `{access, path, name, type, size, mime, meta, url}`, which a field of the
    types file, image, video, audio and attachment can hold; `meta` has the width and height of pictures, `url` is null for private files. What a
    file is, is told from its bytes: what is no picture is refused as image.
    """

    name = "create_file"
    label = "Create file"
    group = "files"
    icon = "save"
    sentence = "Keep {value} as {access} {kind}"
    synonyms = "upload store save image video audio attachment storage"
    parameters = (
        Constant("kind", "What it must be.", default="attachment", choices=KINDS),
        Value("value", 'An input of type file or image, a text, or {"$bytes": base64}.', required=True),
        Constant(
            "access",
            "public: whoever has its URL may open it. private: only through sign_url.",
            default="public",
            choices=ACCESS,
        ),
        Value("name", "What it is called; an upload has its own name.", type=t.TEXT),
    )
    raises = ("FILE_REFUSED", "PAYLOAD_TOO_LARGE")
    run = staticmethod(create_file)
    examples = (
        {
            "lines": [
                {"step": "create_file", "as": "note", "params": {"value": "Hello", "name": "hello.txt"}}
            ],
            "response": "[note.name, note.mime, note.size]",
            "is": ["hello.txt", "text/plain", 5],
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """A stored file."""
        return STORED
