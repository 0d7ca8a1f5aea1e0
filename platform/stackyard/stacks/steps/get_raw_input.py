"""The request's body as it came."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from stackyard.core import types as t
from stackyard.core.body import parse_json
from stackyard.core.errors import Problem

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Constant
from ..step import Line, Step


def get_raw_input(execution: Execution, encoding: str) -> Any:
    """The body; empty text (or null for json) when none came, or when no request did."""
    raw = execution.request.raw_body if execution.request is not None else b""
    if encoding == "json":
        return parse_json(raw) if raw else None
    if encoding == "base64":
        return base64.b64encode(raw).decode()
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Problem(
            "INVALID_INPUT", "The body is not text in UTF-8.", suggestion="Read it with encoding base64."
        ) from None


class GetRawInput(Step):
    """The body of the request, byte for byte, whatever the inputs say. With `body: raw` an endpoint takes any body without
    reading inputs from it.
    """

    name = "get_raw_input"
    label = "Get raw input"
    group = "utilities"
    icon = "download"
    sentence = "Get the raw body as {encoding}"
    synonyms = "body bytes payload webhook all raw input"
    parameters = (
        Constant(
            "encoding",
            "text (UTF-8), json (its value), or base64 (any bytes).",
            default="text",
            choices=("text", "json", "base64"),
        ),
    )
    raises = ("INVALID_INPUT",)
    run = staticmethod(get_raw_input)
    examples = (
        {
            "lines": [{"step": "get_raw_input", "as": "body", "params": {}}],
            "response": "body",
            "is": "",
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """A text, or any value."""
        return t.ANY if line.params.get("encoding") == "json" else t.TEXT
