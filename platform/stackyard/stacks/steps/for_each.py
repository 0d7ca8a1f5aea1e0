"""A loop over a list."""

from __future__ import annotations

import ast
from typing import Any

from stackyard.core import types as t
from stackyard.core.expressions.operations import failed, kind_of

from ..check import StackChecker
from ..compiler import StackCompiler
from ..parameters import Lines, NewName, Value, check_new_name
from ..step import Line, Step


def items_of(value: Any) -> list[Any]:
    """What the loop goes through: a list; null has nothing in it."""
    if value.__class__ is list:
        return value
    if value is None:
        return []
    failed(f"For each goes through a list, not through {kind_of(value)}.")


class ForEach(Step):
    """Run a stack once for each item of a list; `item` is the item, `index` its place from 0."""

    name = "for_each"
    label = "For each"
    group = "flow"
    icon = "loop"
    sentence = "For each {item} in {in}"
    synonyms = "loop iterate foreach list"
    gives_result = False
    repeats = True
    parameters = (
        Value("in", "The list.", required=True, type=t.LIST.or_null()),
        NewName("item", "What an item is called inside.", default="item"),
        Lines("do", "Runs for each item."),
    )
    examples = (
        {
            "lines": [
                {"step": "set_variable", "params": {"name": "n", "value": 0}},
                {
                    "step": "for_each",
                    "params": {
                        "in": [1, 2, 3],
                        "do": [
                            {"step": "set_variable", "params": {"name": "n", "value": {"$expr": "n + item"}}}
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
        """The item has the type of what the list holds."""
        given = checker.value(line.params.get("in"), line.at("in"))
        if not t.accepts(t.LIST.or_null(), given):
            checker.error(line.at("in"), "type", f"For each goes through a list, not through {given}.")
        name = line.params.get("item", "item")
        if name != "item" and not check_new_name(checker, name, line.at("item")):
            name = "item"
        held = given.of or t.ANY if given.name == "list" else t.ANY
        checker.loop(line.params.get("do"), line.at("do"), {name: held, "index": t.INT})
        return t.NULL

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`for index, item in enumerate(items)`."""
        items = code.call(items_of, [code.value(line.params.get("in"), line, "in")])
        prepare = code.budget_if_used()
        item, index = code.fresh(), code.fresh()
        names = {line.params.get("item", "item"): item, "index": index}
        body = code.block(line.params.get("do") or [], line.at("do"), names)
        code.locate(line, "in")
        if _reads(body, index):
            targets = [code.place(ast.Name(name, ast.Store())) for name in (index, item)]
            target = code.place(ast.Tuple(targets, ast.Store()))
            items = code.call(enumerate, [items])
        else:
            target = code.place(ast.Name(item, ast.Store()))
        return [*prepare, code.place(ast.For(target, items, [*code.take_fuel(), *body], []))]


def _reads(body: list[ast.stmt], name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for stmt in body for node in ast.walk(stmt))
