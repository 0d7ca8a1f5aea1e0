"""Go on only if something holds."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from stackyard.core import types as t

from ..check import StackChecker
from ..compiler import StackCompiler
from ..endings import Ending
from ..parameters import Condition, Value
from ..raising import check_code, check_status, raise_problem, raised_by
from ..step import Line, Step

_PARTS = ("status", "code", "message", "suggestion")


class Precondition(Step):
    """Go on only if a condition is true; else answer with an error."""

    name = "precondition"
    label = "Precondition"
    group = "flow"
    icon = "shield"
    sentence = "Require {if}, else {status} {code}"
    synonyms = "require assert guard check validate must"
    gives_result = False
    parameters = (
        Condition("if", "What must be true.", required=True),
        Value("status", "The HTTP status of the error.", default=400, type=t.INT),
        Value("code", "The error's code, for programs.", default="PRECONDITION_FAILED", type=t.TEXT),
        Value("message", "What happened, for people.", default="A precondition is not met.", type=t.TEXT),
        Value("suggestion", "What to do about it.", type=t.TEXT),
    )
    examples = (
        {
            "lines": [
                {
                    "step": "precondition",
                    "params": {"if": {"$expr": "1 == 1"}, "status": 404, "code": "NOT_HERE"},
                }
            ],
            "response": '"passed"',
            "is": "passed",
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """After it, the condition is known to hold."""
        for parameter in cls.parameters:
            parameter.check(checker, line)
        check_status(checker, line)
        check_code(checker, line)
        checker.learn(line.params.get("if"), True)
        return t.NULL

    @classmethod
    def endings(cls, line: Line) -> Iterable[Ending]:
        """Its error."""
        return [raised_by({p.name: p.value(line) for p in cls.parameters})]

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`if not condition: raise`."""
        test = code.condition(line.params.get("if"), line, "if")
        failed = code.place(ast.UnaryOp(ast.Not(), test))
        first = code.budget_if_used()
        parts = [code.value(cls.parameter(name).value(line), line, name) for name in _PARTS]  # type: ignore[union-attr]
        raising = [*code.budget_if_used(), code.statement(code.call(raise_problem, parts))]
        return [*first, code.place(ast.If(failed, raising, []))]
