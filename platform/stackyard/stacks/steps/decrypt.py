"""Decrypt what encrypt has made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import sealing
from stackyard.core import types as t

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Value
from ..step import Line, Step
from .encrypt import warn_of_open_key


def decrypt(execution: Execution, value: Any, key: Any, context: str) -> Any:
    """The value that was encrypted."""
    return sealing.decrypt(value, key, context)


class Decrypt(Step):
    """Have an encrypted value back. With another key or context, or when the text was changed, it fails with DECRYPTION_FAILED."""

    name = "decrypt"
    label = "Decrypt"
    group = "security"
    icon = "shield"
    sentence = "Decrypt {value}"
    synonyms = "aes cipher unseal secret"
    result_name = "opened"
    parameters = (
        Value("value", "What encrypt gave.", required=True, type=t.TEXT),
        Value("key", "The key it was encrypted with, such as env.MY_KEY.", required=True),
        Value("context", "The context it was encrypted with.", type=t.TEXT, default="", advanced=True),
    )
    run = staticmethod(decrypt)
    raises = ("DECRYPTION_FAILED",)
    examples = (
        {
            "lines": [
                {
                    "step": "encrypt",
                    "as": "sealed",
                    "params": {"value": {"pin": 12}, "key": {"$expr": "env.MY_KEY"}},
                },
                {
                    "step": "decrypt",
                    "as": "opened",
                    "params": {"value": {"$expr": "sealed"}, "key": {"$expr": "env.MY_KEY"}},
                },
            ],
            "response": "opened",
            "is": {"pin": 12},
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """Whatever it was."""
        warn_of_open_key(line, checker)
        return t.ANY
