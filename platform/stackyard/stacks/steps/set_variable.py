"""Set a variable."""

from __future__ import annotations

import ast

from stackyard.core import types as t

from ..check import StackChecker
from ..compiler import StackCompiler
from ..parameters import NewName, Value, check_new_name
from ..step import Line, Step


class SetVariable(Step):
    """Give a name to a value, or a new value to a name."""

    name = "set_variable"
    label = "Set variable"
    group = "variables"
    icon = "variable"
    sentence = "Set {name} to {value}"
    synonyms = "create variable assign let define"
    gives_result = False
    parameters = (
        NewName("name", "The variable's name.", required=True),
        Value("value", "Its value: anything."),
    )
    examples = (
        {"lines": [{"step": "set_variable", "params": {"name": "n", "value": 2}}], "response": "n", "is": 2},
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """The variable has the value's type from here on."""
        type_ = checker.value(line.params.get("value"), line.at("value"))
        name = line.params.get("name")
        if check_new_name(checker, name, line.at("name")) and isinstance(name, str):
            checker.set_variable(name, type_, line.at("name"))
        return t.NULL

    @classmethod
    def leaves(cls, line: Line) -> str | None:
        """The variable."""
        return line.params.get("name")

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`v = value`."""
        value = code.value(line.params.get("value"), line, "value")
        return [code.assign(code.python_name(line.params["name"]), value)]
