"""The oracle of the expression compiler: a plain walk over the tree that shares only the operators with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stackyard.core.expressions import operations as op
from stackyard.core.expressions.tree import (
    Access,
    Binary,
    Choice,
    Lambda,
    ListOf,
    Literal,
    MapOf,
    Name,
    Pipe,
    Tree,
    Unary,
)
from stackyard.core.filter import Budget, filters

_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": op.add,
    "-": op.subtract,
    "*": op.multiply,
    "/": op.divide,
    "%": op.remainder,
    "~": op.concat,
    "==": op.equal,
    "!=": op.unequal,
    "<": op.less,
    "<=": op.less_or_equal,
    ">": op.greater,
    ">=": op.greater_or_equal,
    "in": op.contained,
}


def walk(tree: Tree, names: Mapping[str, Any], budget: Budget | None = None) -> Any:
    """The value of a tree."""
    budget = budget or Budget()

    def at(part: Tree) -> Any:
        return walk(part, names, budget)

    match tree:
        case Literal():
            return tree.value
        case Name():
            return names[tree.name]
        case Access():
            return op.get(at(tree.of), at(tree.key))
        case Unary(operator="not"):
            return not op.truth(at(tree.operand))
        case Unary():
            return op.negate(at(tree.operand))
        case Binary(operator="and"):
            return op.truth(at(tree.left)) and op.truth(at(tree.right))
        case Binary(operator="or"):
            return op.truth(at(tree.left)) or op.truth(at(tree.right))
        case Binary(operator="??"):
            left = at(tree.left)
            return at(tree.right) if left is None else left
        case Binary():
            return _OPERATIONS[tree.operator](at(tree.left), at(tree.right))
        case Choice():
            return at(tree.then) if op.truth(at(tree.condition)) else at(tree.otherwise)
        case ListOf():
            return [at(item) for item in tree.items]
        case MapOf():
            return {key: at(value) for key, value in tree.entries}
        case Pipe():
            return _pipe(tree, names, budget)
        case Lambda():
            raise AssertionError("a lambda stands only in a filter's brackets")


def _pipe(tree: Pipe, names: Mapping[str, Any], budget: Budget) -> Any:
    found = filters()[tree.name]
    arguments = [walk(tree.value, names, budget)]
    for argument in tree.arguments:
        if isinstance(argument, Lambda):
            arguments.append(_function(argument, names, budget))
        else:
            arguments.append(walk(argument, names, budget))
    return found.checked(*([budget] if found.takes_budget else []), *arguments)


def _function(tree: Lambda, names: Mapping[str, Any], budget: Budget) -> Callable[..., Any]:
    def call(*values: Any) -> Any:
        return walk(tree.body, {**names, **dict(zip(tree.parameters, values, strict=False))}, budget)

    return call
