"""One of several cases by a value."""

from __future__ import annotations

import ast

from stackyard.core import types as t
from stackyard.core.expressions.operations import equal

from ..check import StackChecker
from ..compiler import StackCompiler
from ..parameters import Branches, Lines, Value
from ..step import Line, Step

_CASES = Branches(
    "cases",
    "Values to compare with, and what runs.",
    required=True,
    test="when",
    block="do",
    sentence="When {when}",
)


class Switch(Step):
    """Compare a value with several; the first that is equal runs, or else the default."""

    name = "switch"
    label = "Switch"
    group = "flow"
    icon = "sort"
    sentence = "Switch on {value}"
    synonyms = "case match select choose"
    gives_result = False
    parameters = (
        Value("value", "What is compared.", required=True),
        _CASES,
        Lines("default", "Runs when no case is equal.", title="Otherwise"),
    )
    examples = (
        {
            "lines": [
                {
                    "step": "switch",
                    "params": {
                        "value": "b",
                        "cases": [
                            {"when": "a", "do": [{"step": "return", "params": {"value": 1}}]},
                            {"when": "b", "do": [{"step": "return", "params": {"value": 2}}]},
                        ],
                    },
                }
            ],
            "response": "null",
            "is": 2,
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """The ways of all cases and of the default meet."""
        _CASES.check(checker, line)
        checker.value(line.params.get("value"), line.at("value"))
        ways = []
        for number, branch in enumerate(_CASES.branches(line)):
            path = line.at("cases", number)
            checker.value(branch.get("when"), (*path, "when"))
            ways.append(checker.block(branch.get("do"), (*path, "do")))
        ways.append(checker.block(line.params.get("default"), line.at("default")))
        checker.meet(ways)
        return t.NULL

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`subject = value`, then `if equal(subject, when) … elif …`."""
        subject = code.fresh()
        value = code.value(line.params.get("value"), line, "value")
        first = [*code.budget_if_used(), code.assign(subject, value)]
        default = line.params.get("default")
        otherwise = code.lines(default, line.at("default")) if default else []
        for number, branch in reversed(list(enumerate(_CASES.branches(line)))):
            when = code.value(branch.get("when"), line, "cases", number, "when")
            test = code.call(equal, [code.expressions.load(subject), when])
            prepare = code.budget_if_used()
            body = code.lines(branch.get("do") or [], line.at("cases", number, "do"))
            otherwise = [*prepare, code.place(ast.If(test, body, otherwise))]
        return [*first, *otherwise]
