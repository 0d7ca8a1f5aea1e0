"""Lines under a title."""

from __future__ import annotations

import ast

from stackyard.core import types as t

from ..check import StackChecker
from ..compiler import StackCompiler
from ..parameters import Constant, Lines
from ..step import Line, Step


class Group(Step):
    """Put lines together under a title, to read and fold them as one."""

    name = "group"
    label = "Group"
    group = "flow"
    icon = "group"
    sentence = "{title}"
    synonyms = "section fold comment title"
    gives_result = False
    parameters = (
        Constant("title", "What the lines do together.", default=""),
        Lines("do", "The lines."),
    )
    examples = (
        {
            "lines": [
                {
                    "step": "group",
                    "params": {
                        "title": "Totals",
                        "do": [{"step": "set_variable", "params": {"name": "n", "value": 5}}],
                    },
                }
            ],
            "response": "n",
            "is": 5,
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """As if the lines stood here."""
        cls.parameters[0].check(checker, line)
        checker.block_here(line.params.get("do"), line.at("do"))
        return t.NULL

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """The lines."""
        return code.lines(line.params.get("do") or [], line.at("do"))
