"""Change a part of a variable."""

from __future__ import annotations

import ast
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import did_you_mean
from stackyard.core.expressions import ExpressionError, parse
from stackyard.core.expressions.operations import failed, kind_of
from stackyard.core.expressions.tree import Access, Literal, Name, Tree

from ..check import StackChecker
from ..compiler import StackCompiler
from ..parameters import Constant, Value
from ..step import Line, Step


def path_of(source: Any) -> tuple[str, list[Tree]] | None:
    """The variable and the keys of a path such as `cart.items[0].price`; None when it is none."""
    if not isinstance(source, str):
        return None
    try:
        tree = parse(source)
    except ExpressionError:
        return None
    keys: list[Tree] = []
    while isinstance(tree, Access):
        keys.insert(0, tree.key)
        tree = tree.of
    return (tree.name, keys) if isinstance(tree, Name) else None


def changed(value: Any, keys: tuple[Any, ...], new: Any) -> Any:
    """A value with one part replaced; only what leads to the part is copied, so that other names keep the old value."""
    if not keys:
        return new
    key, rest = keys[0], keys[1:]
    if isinstance(value, list):
        if not isinstance(key, int) or isinstance(key, bool) or not -len(value) <= key <= len(value):
            failed(f"A list of {len(value)} has no place {key!r}.", "Add to a list with: list | push(value).")
        copied = list(value)
        if key == len(value):
            copied.append(changed(None, rest, new))
        else:
            copied[key] = changed(value[key], rest, new)
        return copied
    if value is None or isinstance(value, dict):
        if not isinstance(key, str):
            failed(f"An object is changed by a text key, not by {kind_of(key)}.")
        return {**(value or {}), key: changed((value or {}).get(key), rest, new)}
    failed(f"{kind_of(value).capitalize()} has nothing inside it to change.")


class UpdateVariable(Step):
    """Change a variable, or a part of it: `cart.total`, `lines[0].price`. Missing objects on the way are made."""

    name = "update_variable"
    label = "Update variable"
    group = "variables"
    icon = "edit"
    sentence = "Update {path} to {value}"
    synonyms = "change modify assign set path"
    gives_result = False
    parameters = (
        Constant(
            "path",
            "The variable and, after it, the way to a part: cart.total or lines[0].",
            required=True,
            title="Variable",
            widget="path",
        ),
        Value("value", "The new value.", required=True),
    )
    examples = (
        {
            "lines": [
                {"step": "set_variable", "params": {"name": "cart", "value": {"total": 1}}},
                {
                    "step": "update_variable",
                    "params": {"path": "cart.total", "value": {"$expr": "cart.total + 1"}},
                },
            ],
            "response": "cart.total",
            "is": 2,
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """The variable must exist; its type follows the change where that can be known."""
        given = checker.value(line.params.get("value"), line.at("value"))
        found = path_of(line.params.get("path"))
        if found is None:
            checker.error(
                line.at("path"), "path", "A path is a variable and keys: cart.total or lines[0].price."
            )
            return t.NULL
        name, keys = found
        binding = checker.scope.find(name)
        if binding is None or binding.python != "variable":
            variables = [n for n in checker.scope.names() if checker.scope.bindings[n].python == "variable"]
            hint = did_you_mean(name, variables)
            checker.error(line.at("path"), "unknown_name", f'There is no variable "{name}".{hint}')
            return t.NULL
        for key in keys:
            if not isinstance(key, Literal):
                checker.expression_tree(key, line.at("path"), keep=False)
        checker.set_variable(name, changed_type(binding.type, keys, given), line.at("path"))
        return t.NULL

    @classmethod
    def leaves(cls, line: Line) -> str | None:
        """The whole variable."""
        found = path_of(line.params.get("path"))
        return found[0] if found is not None else None

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`v = changed(v, keys, value)`."""
        found = path_of(line.params["path"])
        assert found is not None, "the check refuses other paths"
        name, keys = found
        value = code.value(line.params.get("value"), line, "value")
        if not keys:
            return [code.assign(code.python_name(name), value)]
        code.locate(line, "path")
        parts = code.place(ast.Tuple([code.expressions.expression(key) for key in keys], ast.Load()))
        return [code.assign(code.python_name(name), code.call(changed, [code.variable(name), parts, value]))]


def changed_type(type_: t.Type, keys: list[Tree], given: t.Type) -> t.Type:
    """The type of a variable after a part of it was changed."""
    if not keys:
        return given
    key = keys[0]
    if (
        type_.name == "object"
        and type_.fields is not None
        and isinstance(key, Literal)
        and isinstance(key.value, str)
    ):
        inner = changed_type(type_.fields.get(key.value, t.OBJECT), keys[1:], given)
        return t.Type("object", fields={**type_.fields, key.value: inner}, open=type_.open)
    if type_.name == "list":
        return t.list_of(t.join(type_.of or t.ANY, changed_type(type_.of or t.ANY, keys[1:], given)))
    return t.ANY if type_.name == "any" else t.OBJECT
