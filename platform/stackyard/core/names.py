"""The rules for names that people give to tables, fields, inputs and variables."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")

RESERVED = frozenset(
    [
        "input",
        "output",
        "response",
        "auth",
        "env",
        "request",
        "now",
        "today",
        "yesterday",
        "tomorrow",
        "error",
        "true",
        "false",
        "null",
        "and",
        "or",
        "not",
        "in",
    ]
)
"""Words of the expression language: no variable may take one."""


def is_name(text: object) -> bool:
    """Whether text is `[A-Za-z_][A-Za-z0-9_]{0,62}`."""
    return isinstance(text, str) and _NAME.match(text) is not None


def name_rule() -> str:
    """The rule in words, for messages."""
    return "Use letters, digits and _, not beginning with a digit, at most 63 characters."
