"""Raise an error."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from stackyard.core import types as t

from ..check import StackChecker
from ..compiler import StackCompiler
from ..endings import Ending
from ..parameters import Value
from ..raising import check_code, check_status, raise_problem, raised_by
from ..step import Line, Step


class Throw(Step):
    """Stop with an error: the answer of the endpoint, unless a try_catch takes it."""

    name = "throw"
    label = "Throw error"
    group = "flow"
    icon = "error"
    sentence = "Throw {status} {code}"
    synonyms = "raise error fail abort exception"
    gives_result = False
    parameters = (
        Value("status", "The HTTP status.", default=400, type=t.INT),
        Value("code", "The error's code, for programs.", default="ERROR", type=t.TEXT),
        Value("message", "What happened, for people.", default="", type=t.TEXT),
        Value("suggestion", "What to do about it.", type=t.TEXT),
        Value("details", "More for programs: any value.", advanced=True),
    )
    examples = (
        {
            "lines": [
                {
                    "step": "try_catch",
                    "params": {
                        "try": [{"step": "throw", "params": {"code": "TOO_LATE", "message": "It is over."}}],
                        "catch": [{"step": "return", "params": {"value": {"$expr": "error.code"}}}],
                    },
                }
            ],
            "response": "null",
            "is": "TOO_LATE",
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """What follows is not reached."""
        for parameter in cls.parameters:
            parameter.check(checker, line)
        check_status(checker, line)
        check_code(checker, line)
        checker.leave()
        return t.NULL

    @classmethod
    def endings(cls, line: Line) -> Iterable[Ending]:
        """Its error."""
        return [raised_by({p.name: p.value(line) for p in cls.parameters})]

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`raise`."""
        return [code.statement(code.call(raise_problem, [p.emit(code, line) for p in cls.parameters]))]
