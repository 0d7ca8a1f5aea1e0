"""Encrypt a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import sealing
from stackyard.core import types as t

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Value
from ..step import Line, Step
from ..values import is_constant


def encrypt(execution: Execution, value: Any, key: Any, context: str) -> str:
    """The value as an encrypted text."""
    return sealing.encrypt(value, key, context)


def warn_of_open_key(line: Line, checker: StackChecker) -> None:
    """A key that stands in the stack is no secret."""
    if is_constant(line.params.get("key")):
        checker.warning(
            line.at("key"),
            "secret",
            "A key that stands in the stack is seen by everybody who reads it: put it into a secret variable.",
        )


class Encrypt(Step):
    """Encrypt a value with a key of yours (AES-256-GCM): only decrypt with the same key and context gives it back, and only unchanged.

    The same value gives another text each time, so it can't be searched for.
    """

    name = "encrypt"
    label = "Encrypt"
    group = "security"
    icon = "shield"
    sentence = "Encrypt {value}"
    synonyms = "aes cipher seal secret protect"
    result_name = "sealed"
    parameters = (
        Value("value", "Any value that JSON can say.", required=True),
        Value("key", "A secret of 16 characters or more, such as env.MY_KEY.", required=True),
        Value(
            "context",
            "What it is for, such as the id of its record; decrypt must say the same.",
            type=t.TEXT,
            default="",
            advanced=True,
        ),
    )
    run = staticmethod(encrypt)
    raises = ("PAYLOAD_TOO_LARGE",)
    examples = (
        {
            "lines": [
                {
                    "step": "encrypt",
                    "as": "sealed",
                    "params": {"value": "4111 1111", "key": {"$expr": "env.MY_KEY"}},
                }
            ],
            "response": 'sealed | starts_with("v1.")',
            "is": True,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """A text."""
        warn_of_open_key(line, checker)
        return t.TEXT
