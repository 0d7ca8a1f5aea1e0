"""What is in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import types as t
from stackyard.core import vault

from .. import stored_files
from ..check import StackChecker
from ..execution import Execution
from ..parameters import Constant, Value
from ..step import Line, Step


def read_file(execution: Execution, file: Any, encoding: str) -> dict[str, Any]:
    """Read it."""
    found = vault.find(execution.workspace_id, file)
    data = stored_files.read(execution, file, encoding)
    return {"name": found.name, "size": found.size, "mime": found.mime, "data": data}


class ReadFile(Step):
    """Read a file of the workspace, at most 10 MB. Gives `{name, size, mime, data}`."""

    name = "read_file"
    label = "Read file"
    group = "files"
    icon = "open"
    sentence = "Read {file}"
    synonyms = "file content download storage"
    parameters = (
        Value("file", "Its path, its URL, or the object that create_file gave.", required=True),
        Constant("encoding", "How data comes.", default="text", choices=("text", "base64", "bytes")),
    )
    raises = ("NOT_FOUND", "PAYLOAD_TOO_LARGE")
    run = staticmethod(read_file)
    examples = (
        {
            "lines": [
                {"step": "create_file", "as": "note", "params": {"value": "Hello", "name": "hello.txt"}},
                {"step": "read_file", "as": "again", "params": {"file": {"$expr": "note"}}},
            ],
            "response": "again.data",
            "is": "Hello",
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """Name, size, type and content."""
        data = t.OBJECT if line.params.get("encoding") == "bytes" else t.TEXT
        return t.object_of({"name": t.TEXT, "size": t.INT, "mime": t.TEXT, "data": data})
