"""Leave a loop."""

from __future__ import annotations

import ast

from stackyard.core import types as t

from ..check import StackChecker
from ..compiler import StackCompiler
from ..step import Line, Step


class Break(Step):
    """Leave the innermost loop."""

    name = "break"
    label = "Break"
    group = "flow"
    icon = "logout"
    sentence = "Leave the loop"
    synonyms = "stop exit end loop"
    gives_result = False
    examples = (
        {
            "lines": [{"step": "while", "params": {"if": True, "do": [{"step": "break", "params": {}}]}}],
            "response": '"out"',
            "is": "out",
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """Only inside a loop."""
        if not checker.leave_loop():
            checker.error(line.path, "misplaced", "Break leaves a loop; there is none around it.")
        return t.NULL

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`break`."""
        return [code.place(ast.Break())]
