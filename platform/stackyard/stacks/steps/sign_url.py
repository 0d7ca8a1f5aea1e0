"""A link to a private file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import types as t
from stackyard.core.limits import LINK_SECONDS

from .. import stored_files
from ..check import StackChecker
from ..execution import Execution
from ..parameters import Value
from ..step import Line, Step


def sign_url(execution: Execution, file: Any, ttl: Any) -> str:
    """The link."""
    return stored_files.sign(execution, file, ttl)


class SignUrl(Step):
    """Make a link that opens a private file for a while, for whoever has the link."""

    name = "sign_url"
    label = "Sign URL"
    group = "files"
    icon = "link"
    sentence = "Sign a link to {file} for {ttl} seconds"
    synonyms = "private file link expiring temporary url"
    parameters = (
        Value("file", "Its path, its URL, or the object that create_file gave.", required=True),
        Value(
            "ttl", "Seconds until the link ends, at most 7 days.", default=LINK_SECONDS.default, type=t.NUMBER
        ),
    )
    raises = ("NOT_FOUND", "INVALID_INPUT")
    run = staticmethod(sign_url)
    examples = (
        {
            "lines": [
                {
                    "step": "create_file",
                    "as": "note",
                    "params": {"value": "Hello", "name": "hello.txt", "access": "private"},
                },
                {"step": "sign_url", "as": "link", "params": {"file": {"$expr": "note"}, "ttl": 60}},
            ],
            "response": '(link | split("/vault/") | count) == 2',
            "is": True,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """An address."""
        return t.TEXT
