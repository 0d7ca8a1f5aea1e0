"""Random bytes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from stackyard.core import types as t
from stackyard.core.errors import Detail, invalid_input

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Value
from ..step import Line, Step

LONGEST = 1_000


def random_bytes(execution: Execution, length: int) -> str:
    """Bytes of the operating system's random source, in hexadecimal digits. Problem `INVALID_INPUT` past 1,000."""
    if not 1 <= length <= LONGEST:
        raise invalid_input([Detail("length", "range", f"must be between 1 and {LONGEST:,}")])
    return secrets.token_hex(length)


class RandomBytes(Step):
    """Make random bytes, for tokens and keys: two hexadecimal digits a byte."""

    name = "random_bytes"
    label = "Random bytes"
    group = "security"
    icon = "code"
    sentence = "{length} random bytes"
    synonyms = "token secret hex key nonce"
    parameters = (Value("length", "How many bytes.", default=32, type=t.INT),)
    run = staticmethod(random_bytes)
    examples = (
        {
            "lines": [{"step": "random_bytes", "as": "made", "params": {"length": 16}}],
            "response": "made | strlen",
            "is": 32,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """A text."""
        return t.TEXT
