"""A header of the answer."""

from __future__ import annotations

from typing import Any

from stackyard.core import types as t
from stackyard.core.expressions.operations import failed, kind_of, text_of

from ..execution import Execution
from ..parameters import Constant, Value
from ..step import Step


def set_header(execution: Execution, name: Any, value: Any, duplicates: Any) -> None:
    """Add a header to the answer; which names and characters are allowed is the endpoint's to say."""
    if not isinstance(name, str):
        failed(f"A header's name is a text, not {kind_of(name)}.")
    headers = execution.response_headers
    if duplicates == "replace":
        headers[:] = [(key, kept) for key, kept in headers if key.lower() != name.lower()]
    if len(headers) >= 100:
        failed("An answer has at most 100 headers of its own.")
    headers.append((name, text_of(value)))


class SetHeader(Step):
    """Send a header with the answer."""

    name = "set_header"
    label = "Set header"
    group = "utilities"
    icon = "note"
    sentence = "Set header {name} to {value}"
    synonyms = "response header content-type cache"
    gives_result = False
    parameters = (
        Value("name", "The header's name, such as Cache-Control.", required=True, type=t.TEXT),
        Value("value", "Its value.", required=True),
        Constant(
            "duplicates",
            "Replace a header of this name, or append another.",
            default="replace",
            choices=("replace", "append"),
            advanced=True,
        ),
    )
    run = staticmethod(set_header)
    examples = (
        {
            "lines": [{"step": "set_header", "params": {"name": "X-Shop", "value": "open"}}],
            "response": "null",
            "is": None,
        },
    )
