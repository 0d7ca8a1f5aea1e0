"""Catch errors."""

from __future__ import annotations

import ast
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import Detail, Problem

from ..check import StackChecker
from ..compiler import StackCompiler
from ..parameters import Lines
from ..step import Line, Step

ERROR = t.object_of(
    {
        "code": t.TEXT,
        "message": t.TEXT,
        "status": t.INT,
        "suggestion": t.TEXT.or_null(),
        "details": t.ANY,
        "line": t.TEXT.or_null(),
    }
)


def caught(problem: Problem, locate: Any) -> dict[str, Any]:
    """What a catch sees as `error`."""
    place = problem.place or locate(problem.__traceback__)
    details = problem.details
    if isinstance(details, list | tuple):
        details = [d.as_dict() if isinstance(d, Detail) else d for d in details]
    return {
        "code": problem.code,
        "message": problem.message,
        "status": problem.status,
        "suggestion": problem.suggestion,
        "details": details or None,
        "line": place.line if place else None,
    }


class TryCatch(Step):
    """Run lines; when one raises an error, run others with the error as `error`. The last block runs either way."""

    name = "try_catch"
    label = "Try / catch"
    group = "flow"
    icon = "warning"
    sentence = "Try, and catch errors"
    synonyms = "error handling exception rescue finally"
    gives_result = False
    catches = "try"
    parameters = (
        Lines("try", "The lines that may fail."),
        Lines(
            "catch",
            "Runs when one failed; error.code, error.message, error.status, error.details, error.line.",
        ),
        Lines("finally", "Runs in any case."),
    )
    examples = (
        {
            "lines": [
                {
                    "step": "try_catch",
                    "params": {
                        "try": [
                            {"step": "set_variable", "params": {"name": "n", "value": {"$expr": "1 / 0"}}}
                        ],
                        "catch": [
                            {
                                "step": "set_variable",
                                "params": {"name": "n", "value": {"$expr": "error.status"}},
                            }
                        ],
                    },
                }
            ],
            "response": "n",
            "is": 422,
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """The catch may begin after any part of the try; both ways meet."""
        before = checker.scope
        tried = checker.block(line.params.get("try"), line.at("try"))
        checker.meet([before, tried])
        rescued = checker.block(line.params.get("catch"), line.at("catch"), {"error": ERROR})
        checker.scope = before
        checker.meet([tried, rescued])
        if line.params.get("finally"):
            ended, checker.ended = checker.ended, False
            checker.block_here(line.params.get("finally"), line.at("finally"))
            checker.ended = checker.ended or ended
        return t.NULL

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`try … except Problem … finally`."""
        error, raised = code.fresh(), code.fresh()
        body = code.lines(line.params.get("try") or [], line.at("try"))
        catch = code.block(line.params.get("catch") or [], line.at("catch"), {"error": error})
        code.locate(line, "catch")
        keep = code.assign(
            error, code.call(caught, [code.expressions.load(raised), code.bound(code.places.find)])
        )
        handler = code.place(ast.ExceptHandler(code.bound(Problem), raised, [keep, *catch]))
        last = code.lines(line.params["finally"], line.at("finally")) if line.params.get("finally") else []
        return [code.place(ast.Try(body, [handler], [], last))]
