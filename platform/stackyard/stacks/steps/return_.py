"""Answer now."""

from __future__ import annotations

import ast

from stackyard.core import types as t

from ..check import StackChecker
from ..compiler import StackCompiler
from ..parameters import Value
from ..step import Line, Step


class Return(Step):
    """End the stack here with a value as its response."""

    name = "return"
    label = "Return"
    group = "flow"
    icon = "return"
    sentence = "Return {value}"
    synonyms = "respond answer end result"
    gives_result = False
    parameters = (Value("value", "The response."),)
    examples = ({"lines": [{"step": "return", "params": {"value": [1]}}], "response": "null", "is": [1]},)

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """What follows is not reached."""
        checker.returns.append(checker.value(line.params.get("value"), line.at("value")))
        checker.leave()
        return t.NULL

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`return value`."""
        return [code.place(ast.Return(code.value(line.params.get("value"), line, "value")))]
