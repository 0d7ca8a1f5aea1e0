"""Remove a file."""

from __future__ import annotations

from typing import Any

from .. import stored_files
from ..execution import Execution
from ..parameters import Value
from ..step import Step


def delete_file(execution: Execution, file: Any) -> None:
    """Remove it."""
    stored_files.delete(execution, file)


class DeleteFile(Step):
    """Remove a file of the workspace; records that hold its object keep it. A transaction that fails brings the file back."""

    name = "delete_file"
    label = "Delete file"
    group = "files"
    icon = "trash"
    sentence = "Delete {file}"
    synonyms = "remove file storage"
    gives_result = False
    parameters = (Value("file", "Its path, its URL, or the object that create_file gave.", required=True),)
    raises = ("NOT_FOUND",)
    run = staticmethod(delete_file)
    examples = (
        {
            "lines": [
                {"step": "create_file", "as": "note", "params": {"value": "Hello", "name": "hello.txt"}},
                {"step": "delete_file", "params": {"file": {"$expr": "note.path"}}},
            ],
            "response": "null",
            "is": None,
        },
    )
