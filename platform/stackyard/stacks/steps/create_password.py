"""A random password."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping

from stackyard.core import types as t
from stackyard.core.errors import Detail, invalid_input

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Value
from ..step import Line, Step

SYMBOLS = "!#$%&*+-=?@_"
KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, SYMBOLS)
SHORTEST, LONGEST = 8, 200


def create_password(execution: Execution, length: int, symbols: bool) -> str:
    """A password with at least one character of each kind. Problem `INVALID_INPUT` for a length that is none."""
    if not SHORTEST <= length <= LONGEST:
        raise invalid_input([Detail("length", "range", f"must be between {SHORTEST} and {LONGEST}")])
    kinds = KINDS if symbols else KINDS[:3]
    alphabet = "".join(kinds)
    # Drawn again as a whole until each kind is there: every such password is as likely as the others.
    while True:
        made = "".join(secrets.choice(alphabet) for _ in range(length))
        if all(set(kind) & set(made) for kind in kinds):
            return made


class CreatePassword(Step):
    """Make a random password with small and capital letters, digits and, if wanted, symbols."""

    name = "create_password"
    label = "Create password"
    group = "security"
    icon = "key"
    sentence = "A random password of {length} characters"
    synonyms = "random secret generate"
    parameters = (
        Value("length", "How many characters, at least 8.", default=16, type=t.INT),
        Value("symbols", "Whether it has symbols too.", default=True, type=t.BOOL),
    )
    run = staticmethod(create_password)
    examples = (
        {
            "lines": [{"step": "create_password", "as": "made", "params": {"length": 20}}],
            "response": "made | strlen",
            "is": 20,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """A text."""
        return t.TEXT
