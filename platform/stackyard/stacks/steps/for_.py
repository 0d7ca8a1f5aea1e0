"""A loop that counts."""

from __future__ import annotations

import ast
from typing import Any

from stackyard.core import types as t
from stackyard.core.expressions.operations import failed, kind_of

from ..check import StackChecker
from ..compiler import StackCompiler
from ..parameters import Lines, Value
from ..step import Line, Step


def count_of(value: Any) -> range:
    """The turns: 0 … count - 1."""
    if value.__class__ is int:
        return range(value)
    failed(f"For counts up to a whole number, not to {kind_of(value)}.")


class For(Step):
    """Run a stack a number of times; `index` counts from 0."""

    name = "for"
    label = "For"
    group = "flow"
    icon = "loop"
    sentence = "Repeat {count} times"
    synonyms = "repeat times loop count"
    gives_result = False
    repeats = True
    parameters = (
        Value("count", "How often.", required=True, type=t.INT),
        Lines("do", "Runs each time."),
    )
    examples = (
        {
            "lines": [
                {"step": "set_variable", "params": {"name": "n", "value": 0}},
                {
                    "step": "for",
                    "params": {
                        "count": 4,
                        "do": [
                            {"step": "set_variable", "params": {"name": "n", "value": {"$expr": "n + index"}}}
                        ],
                    },
                },
            ],
            "response": "n",
            "is": 6,
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """The count is a whole number."""
        given = checker.value(line.params.get("count"), line.at("count"))
        if not t.accepts(t.INT, given):
            checker.error(line.at("count"), "type", f"For counts up to a whole number, not to {given}.")
        checker.loop(line.params.get("do"), line.at("do"), {"index": t.INT})
        return t.NULL

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`for index in range(count)`."""
        turns = code.call(count_of, [code.value(line.params.get("count"), line, "count")])
        prepare = code.budget_if_used()
        index = code.fresh()
        body = code.block(line.params.get("do") or [], line.at("do"), {"index": index})
        code.locate(line, "count")
        target = code.place(ast.Name(index, ast.Store()))
        return [*prepare, code.place(ast.For(target, turns, [*code.take_fuel(), *body], []))]
