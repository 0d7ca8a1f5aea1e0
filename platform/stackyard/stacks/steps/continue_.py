"""Go to a loop's next turn."""

from __future__ import annotations

import ast

from stackyard.core import types as t

from ..check import StackChecker
from ..compiler import StackCompiler
from ..step import Line, Step


class Continue(Step):
    """Go on with the next turn of the innermost loop."""

    name = "continue"
    label = "Continue"
    group = "flow"
    icon = "arrow-right"
    sentence = "Go on with the next turn"
    synonyms = "skip next loop"
    gives_result = False
    examples = (
        {
            "lines": [
                {"step": "set_variable", "params": {"name": "n", "value": 0}},
                {
                    "step": "for",
                    "params": {
                        "count": 4,
                        "do": [
                            {
                                "step": "condition",
                                "params": {
                                    "if": {"$expr": "index == 2"},
                                    "then": [{"step": "continue", "params": {}}],
                                },
                            },
                            {
                                "step": "set_variable",
                                "params": {"name": "n", "value": {"$expr": "n + index"}},
                            },
                        ],
                    },
                },
            ],
            "response": "n",
            "is": 4,
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """Only inside a loop."""
        if not checker.leave_loop():
            checker.error(line.path, "misplaced", "Continue goes on with a loop; there is none around it.")
        return t.NULL

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`continue`."""
        return [code.place(ast.Continue())]
