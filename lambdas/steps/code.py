"""Code in a stack."""

from __future__ import annotations

import ast
import time
from typing import Any

from lambdas.code import DEFAULT_SECONDS, LONGEST_SECONDS, run_source, syntax_fault
from lambdas.running import environment_of, times_of
from lambdas.services import LambdaServices
from stackyard.core import types as t
from stackyard.core.errors import did_you_mean
from stackyard.stacks.check import StackChecker
from stackyard.stacks.compiler import StackCompiler
from stackyard.stacks.execution import Execution
from stackyard.stacks.parameters import Constant, Value
from stackyard.stacks.step import Line, Step


def run_code(
    execution: Execution,
    source: str,
    seconds: Any,
    variables: list[str],
    network: list[str],
    input: Any,
    names: Any,
) -> Any:
    """What the code returns; it works in the stack's transaction and under its principal."""
    env = environment_of(execution.workspace_id, variables)
    left = max(execution.deadline - time.monotonic(), 0.1)
    with LambdaServices(execution, network) as services:
        return run_source(
            source,
            workspace_id=execution.workspace_id,
            input=input,
            names={"vars": names},
            auth=execution.principal.as_value(),
            env=env,
            times=times_of(execution),
            seconds=min(seconds, left),
            services=services,
        )


class Code(Step):
    """Run JavaScript or TypeScript in a sandbox. It sees input, vars (the stack's variables), db and what lambdas see; its return is the result."""

    name = "code"
    label = "Code"
    group = "code"
    icon = "code"
    sentence = "Run code[ {source}]"
    synonyms = "javascript typescript lambda script function deno"
    goes_out = True
    parameters = (
        Constant(
            "source", "The code: the body of an async function.", required=True, title="Code", widget="code"
        ),
        Value("timeout", "Seconds it may take.", default=DEFAULT_SECONDS, type=t.NUMBER),
        Constant(
            "variables",
            "Workspace variables it may see as env.",
            default=[],
            type=t.LIST,
            advanced=True,
            widget="variables",
        ),
        Constant("network", "Hosts it may call.", default=[], type=t.LIST, advanced=True),
    )
    raises = ("LAMBDA_FAILED", "TIMEOUT", "BUSY")
    examples = (
        {
            "lines": [
                {"step": "set_variable", "params": {"name": "n", "value": 20}},
                {"step": "code", "as": "made", "params": {"source": "return vars.n * 2 + 2"}},
            ],
            "response": "made",
            "is": 42,
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """The code must compile; its variables must exist."""
        super().check(line, checker)
        source, seconds = line.params.get("source"), line.params.get("timeout")
        if isinstance(source, str):
            wrong = syntax_fault(source)
            if wrong is not None:
                checker.error(line.at("source"), "syntax", wrong)
        if isinstance(seconds, int | float) and not 0 < seconds <= LONGEST_SECONDS:
            checker.error(line.at("timeout"), "range", f"The time-out is at most {LONGEST_SECONDS} seconds.")
        for number, name in enumerate(line.params.get("variables") or []):
            known = checker.catalogue.variables
            if name not in known:
                message = f'There is no variable "{name}".{did_you_mean(str(name), known)}'
                checker.error(line.at("variables", number), "unknown_variable", message)
        return t.ANY

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`run_code(execution, source, …, input, {name: variable, …})`."""
        given = [parameter.emit(code, line) for parameter in cls.parameters]
        code.locate(line, "source")
        names = sorted(name for name, binding in code.scope.bindings.items() if binding.python[0] in "vi")
        names = [name for name in names if name != "input"]
        keys: list[ast.expr | None] = [code.constant(name) for name in names]
        variables = code.place(ast.Dict(keys, [code.variable(name) for name in names]))
        arguments = [code.execution(), *given, code.expressions.load("input"), variables]
        return code.keep(line, code.call(run_code, arguments))
