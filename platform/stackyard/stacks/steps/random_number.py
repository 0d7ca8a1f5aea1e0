"""A random whole number."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from stackyard.core import types as t
from stackyard.core.errors import Detail, invalid_input

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Value
from ..step import Line, Step


def random_number(execution: Execution, least: int, most: int) -> int:
    """A number of the operating system's random source. Problem `INVALID_INPUT` when the bounds are the wrong way round."""
    if least > most:
        raise invalid_input([Detail("min", "range", "min is above max")])
    return least + secrets.randbelow(most - least + 1)


class RandomNumber(Step):
    """Make a whole number by chance, each as likely as the others and not to be foretold."""

    name = "random_number"
    label = "Random number"
    group = "security"
    icon = "refresh"
    sentence = "A random number from {min} to {max}"
    synonyms = "chance dice integer"
    parameters = (
        Value("min", "The least.", default=0, type=t.INT),
        Value("max", "The greatest.", default=9_007_199_254_740_991, type=t.INT),
    )
    run = staticmethod(random_number)
    examples = (
        {
            "lines": [{"step": "random_number", "as": "made", "params": {"min": 3, "max": 3}}],
            "response": "made",
            "is": 3,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """A whole number."""
        return t.INT
