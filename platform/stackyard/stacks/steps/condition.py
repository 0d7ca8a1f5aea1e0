"""If, else if, else."""

from __future__ import annotations

import ast

from stackyard.core import types as t

from ..check import StackChecker
from ..compiler import StackCompiler
from ..parameters import Branches, Lines
from ..parameters import Condition as ConditionParameter
from ..step import Line, Step

_ELSE_IF = Branches(
    "else_if",
    "Further conditions, tried in order.",
    test="if",
    block="then",
    default=[],
    sentence="Or else if {if}",
)


class Condition(Step):
    """Run one of several stacks: the first whose condition is true, or else the last one."""

    name = "condition"
    label = "Condition"
    group = "flow"
    icon = "branch"
    sentence = "If {if}"
    synonyms = "if else when conditional branch"
    gives_result = False
    parameters = (
        ConditionParameter("if", "What must be true.", required=True),
        Lines("then", "Runs when it is true."),
        _ELSE_IF,
        Lines("else", "Runs when nothing before was true.", title="Otherwise"),
    )
    examples = (
        {
            "lines": [
                {
                    "step": "condition",
                    "params": {
                        "if": {"$expr": "1 > 2"},
                        "then": [{"step": "return", "params": {"value": "more"}}],
                        "else": [{"step": "return", "params": {"value": "less"}}],
                    },
                }
            ],
            "response": "null",
            "is": "less",
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """Each branch knows that the conditions before it were false; after them the ways meet."""
        _ELSE_IF.check(checker, line)
        outer = checker.scope
        checker.condition(line.params.get("if"), line.at("if"))
        ways = [checker.branch(line.params.get("if"), True, line.params.get("then"), line.at("then"))]
        checker.scope = outer.copy()
        checker.learn(line.params.get("if"), False)
        for number, branch in enumerate(_ELSE_IF.branches(line)):
            path = line.at("else_if", number)
            checker.condition(branch.get("if"), (*path, "if"))
            ways.append(checker.branch(branch.get("if"), True, branch.get("then"), (*path, "then")))
            checker.learn(branch.get("if"), False)
        ways.append(checker.block(line.params.get("else"), line.at("else")))
        checker.scope = outer
        checker.meet(ways)
        return t.NULL

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`if … elif … else`."""
        tests = [(line.params.get("if"), line.params.get("then"), ("if",), ("then",))]
        for number, branch in enumerate(_ELSE_IF.branches(line)):
            paths = (("else_if", number, "if"), ("else_if", number, "then"))
            tests.append((branch.get("if"), branch.get("then"), *paths))  # type: ignore[arg-type]
        otherwise = (
            code.lines(line.params.get("else") or [], line.at("else")) if line.params.get("else") else []
        )
        # From the last test to the first: each becomes the else of the one before.
        for condition, lines, test_path, block_path in reversed(tests):
            test = code.condition(condition, line, *test_path)
            prepare = code.budget_if_used()
            body = code.lines(lines or [], line.at(*block_path))
            code.locate(line, *test_path)
            otherwise = [*prepare, code.place(ast.If(test, body, otherwise))]
        return otherwise
