"""Call a function."""

from __future__ import annotations

import ast
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import did_you_mean
from stackyard.core.expressions.operations import failed, kind_of

from ..check import StackChecker
from ..compiler import StackCompiler
from ..execution import Execution
from ..parameters import Constant, Value
from ..step import Line, Step
from ..values import expression_of


def call(execution: Execution, function_id: int, given: Any) -> Any:
    """Run a function's published stack with inputs, in the caller's transaction and under its principal."""
    from ..runner import load_function

    if given is None:
        given = {}
    if not isinstance(given, dict):
        failed(f"A function's input is an object, not {kind_of(given)}.")
    plan = load_function(execution.workspace_id, function_id, execution.trace is not None, execution.source)
    execution.deeper()
    try:
        return plan.run(execution, plan.inputs.bind(given))
    finally:
        execution.depth -= 1


class CallFunction(Step):
    """Run a function of this workspace and take its response."""

    name = "call_function"
    label = "Call function"
    group = "code"
    icon = "function"
    sentence = "Call {function}[ with {input}]"
    synonyms = "run custom function reuse invoke"
    parameters = (
        Constant("function", "The function's name.", required=True, widget="function"),
        Value("input", "Its inputs by name.", default={}, type=t.OBJECT),
    )
    examples = (
        {
            "lines": [
                {"step": "call_function", "as": "n", "params": {"function": "twice", "input": {"n": 21}}}
            ],
            "response": "n",
            "is": 42,
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """The function must be published; its inputs are looked up by name."""
        name = line.params.get("function")
        given = checker.value(line.params.get("input", {}), line.at("input"))
        if not isinstance(name, str):
            checker.error(line.at("function"), "constant", "The function is given by its name.")
            return t.ANY
        signature = checker.catalogue.functions.get(name)
        if signature is None:
            hint = did_you_mean(name, checker.catalogue.functions)
            checker.error(
                line.at("function"), "unknown_function", f'There is no published function "{name}".{hint}'
            )
            return t.ANY
        inputs = line.params.get("input", {})
        if isinstance(inputs, dict) and expression_of(inputs) is None:
            cls._check_inputs(line, checker, name, signature.inputs, inputs)
        elif not t.accepts(t.OBJECT, given):
            checker.error(line.at("input"), "type", f"A function's input is an object, not {given}.")
        return signature.response

    @classmethod
    def _check_inputs(
        cls, line: Line, checker: StackChecker, name: str, known: Any, given: dict[str, Any]
    ) -> None:
        for key in given:
            if key not in known:
                hint = did_you_mean(key, known)
                checker.error(line.at("input", key), "unknown_input", f'"{name}" has no input "{key}".{hint}')
        for key, spec in known.items():
            if isinstance(spec, dict) and spec.get("required") and key not in given:
                checker.error(line.at("input"), "missing_input", f'"{name}" needs the input "{key}".')

    @classmethod
    def called_function(cls, line: Line) -> str | None:
        """The function's name."""
        name = line.params.get("function")
        return name if isinstance(name, str) else None

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`call(execution, id, input)`."""
        function_id = code.functions[line.params["function"]]
        given = code.value(line.params.get("input", {}), line, "input")
        code.locate(line)
        return code.keep(line, code.call(call, [code.execution(), code.constant(function_id), given]))
