"""All or nothing."""

from __future__ import annotations

import ast

from stackyard.core import types as t

from ..check import StackChecker
from ..compiler import StackCompiler
from ..parameters import Lines
from ..step import Line, Step


class Transaction(Step):
    """Make the changes of several lines together: when one fails, none of them is kept."""

    name = "transaction"
    label = "Transaction"
    group = "database"
    icon = "transaction"
    sentence = "All or nothing"
    synonyms = "atomic rollback commit"
    gives_result = False
    parameters = (Lines("do", "The lines whose changes belong together."),)
    examples = (
        {
            "lines": [
                {
                    "step": "transaction",
                    "params": {"do": [{"step": "set_variable", "params": {"name": "n", "value": 1}}]},
                }
            ],
            "response": "n",
            "is": 1,
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """As if the lines stood here."""
        checker.block_here(line.params.get("do"), line.at("do"))
        return t.NULL

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`with execution.store.transaction()`."""
        store = code.place(ast.Attribute(code.execution(), "store", ast.Load()))
        begin = code.place(ast.Call(code.place(ast.Attribute(store, "transaction", ast.Load())), [], []))
        body = code.lines(line.params.get("do") or [], line.at("do"))
        return [code.place(ast.With([ast.withitem(begin, None)], body))]
