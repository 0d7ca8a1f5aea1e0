"""A SELECT as people write it."""

from __future__ import annotations

import ast
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import Problem
from stackyard.tables.direct_sql import DirectSql, prepare_sql

from ..check import StackChecker
from ..compiler import StackCompiler
from ..execution import Execution
from ..parameters import Constant, Value
from ..step import Line, Step


def direct_sql(execution: Execution, statement: DirectSql, args: Any) -> list[dict[str, Any]]:
    """The rows as objects."""
    return statement.run(execution.store, [] if args is None else args)


class DirectSqlStep(Step):
    """Read with a SELECT of your own: joins, WITH, UNION and windows over the workspace's tables by their names.

    Only public fields are there, timestamps as milliseconds. It is for reading only, and has ten seconds.
    """

    name = "direct_sql"
    label = "Direct SQL"
    group = "database"
    icon = "database"
    sentence = "Read with SQL: {sql}"
    synonyms = "query select raw statement report"
    parameters = (
        Constant("sql", 'One SELECT; values that come at run time are written "?".', required=True),
        Value("args", 'The values of the "?", in their order.', type=t.LIST),
    )
    raises = ("INVALID_INPUT", "RESULT_TOO_LARGE", "TIMEOUT")
    examples = (
        {
            "lines": [
                {
                    "step": "direct_sql",
                    "as": "rows",
                    "params": {
                        "sql": "SELECT name, length(name) AS letters FROM customers WHERE name LIKE ? ORDER BY name",
                        "args": ["A%"],
                    },
                }
            ],
            "response": "rows",
            "is": [{"name": "Ann", "letters": 3}],
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """The statement is one that may run, and has an argument for each \"?\"."""
        for parameter in cls.parameters:
            parameter.check(checker, line)
        text, args = line.params.get("sql"), line.params.get("args")
        if not isinstance(text, str):
            return t.LIST
        try:
            statement = prepare_sql(checker.catalogue.schema, text)
        except Problem as problem:
            checker.error(line.at("sql"), "sql", problem.message.removeprefix("sql: "))
            return t.LIST
        if (isinstance(args, list) or args is None) and len(args or ()) != statement.arguments:
            message = (
                f'The statement has {statement.arguments} "?", and {len(args or ())} arguments are given.'
            )
            checker.error(line.at("args"), "length", message)
        return t.list_of(t.OBJECT)

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`direct_sql(execution, statement, args)`: the statement was rewritten when the stack was compiled."""
        statement = code.bound(prepare_sql(code.schema, line.params["sql"]))
        args = code.value(line.params.get("args"), line, "args")
        code.locate(line)
        return code.keep(line, code.call(direct_sql, [code.execution(), statement, args]))
