"""A loop as long as something holds."""

from __future__ import annotations

import ast

from stackyard.core import types as t

from ..check import StackChecker
from ..compiler import StackCompiler
from ..parameters import Condition, Lines
from ..step import Line, Step


class While(Step):
    """Run a stack as long as a condition is true."""

    name = "while"
    label = "While"
    group = "flow"
    icon = "loop"
    sentence = "While {if}"
    synonyms = "loop until repeat"
    gives_result = False
    repeats = True
    parameters = (
        Condition("if", "Looked at before each turn.", required=True),
        Lines("do", "Runs each time."),
    )
    examples = (
        {
            "lines": [
                {"step": "set_variable", "params": {"name": "n", "value": 1}},
                {
                    "step": "while",
                    "params": {
                        "if": {"$expr": "n < 100"},
                        "do": [
                            {"step": "set_variable", "params": {"name": "n", "value": {"$expr": "n * 2"}}}
                        ],
                    },
                },
            ],
            "response": "n",
            "is": 128,
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """The condition is looked at with what the body may have changed."""
        checker.loop(line.params.get("do"), line.at("do"), {}, test=(line.params.get("if"), line.at("if")))
        return t.NULL

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`while True`, left when the condition does not hold."""
        test = code.condition(line.params.get("if"), line, "if")
        prepare = code.budget_if_used()
        leave = code.place(ast.If(code.place(ast.UnaryOp(ast.Not(), test)), [code.place(ast.Break())], []))
        body = code.lines(line.params.get("do") or [], line.at("do"))
        code.locate(line, "if")
        return [code.place(ast.While(code.constant(True), [*code.take_fuel(), *prepare, leave, *body], []))]
