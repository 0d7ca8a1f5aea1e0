"""Filters with a lambda that are compiled to a comprehension instead of a call for every element.

They must do what the filters of the same name in `core/filters/higher_order.py` do, in value, refusal and
budget: the oracle in the tests calls those.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from .. import types as t
from ..filter import Budget
from ..guards import Accepts, failure_of, guard, undecided
from .scope import Binding
from .tree import Lambda, Pipe, Tree, is_condition

if TYPE_CHECKING:
    from .compiler import ExpressionCompiler


@dataclass(frozen=True, slots=True)
class Inlined:
    """`entries(budget, value)` gives the list to go through; `refuse(answer)`, where the lambda decides, raises."""

    entries: Callable[[Budget, Any], list[Any]]
    refuse: Callable[[Any], NoReturn] | None = None


def _entries(budget: Budget, value: list[object]) -> list[object]:
    budget.spend(len(value))
    budget.room(8 * len(value))
    return value


def _inlined(name: str, *, decides: bool) -> Inlined:
    def refuse(answer: Any) -> NoReturn:
        raise failure_of(name, undecided(answer))

    accepts = [Accepts(Budget), Accepts(list[object])]
    return Inlined(guard(_entries, name, accepts), refuse if decides else None)


INLINED: Mapping[str, Inlined] = {
    "map": _inlined("map", decides=False),
    "filter": _inlined("filter", decides=True),
}


def comprehension(compiler: ExpressionCompiler, tree: Pipe, lambda_: Lambda, inlined: Inlined) -> ast.expr:
    """`[… for entry in kept] if (kept := entries(budget, value)) is not None else None`.

    A comprehension's list cannot be kept in its own brackets, hence the condition, which always holds.
    """
    place, load = compiler.place, compiler.load
    value = compiler.expression(tree.value)
    entries = compiler.call(inlined.entries, [load("budget", tree.at), value], tree.at)
    keep, again = compiler.kept(entries, tree.at, always=True)
    entry, number = compiler.fresh_parameter(), compiler.fresh_parameter()
    names = zip(lambda_.parameters, (entry, number), strict=False)
    with compiler.scope.inner({name: Binding(python, t.ANY) for name, python in names}):
        body = compiler.expression(lambda_.body)
    target: ast.expr = place(ast.Name(entry, ast.Store()), tree.at)
    if len(lambda_.parameters) > 1:
        target = place(
            ast.Tuple([place(ast.Name(number, ast.Store()), tree.at), target], ast.Store()), tree.at
        )
        again = compiler.call(enumerate, [again], tree.at)
    tests = []
    if inlined.refuse is not None:
        tests = [_decided(compiler, lambda_.body, body, inlined.refuse)]
        body = load(entry, tree.at)
    loop = place(ast.ListComp(body, [ast.comprehension(target, again, tests, 0)]), tree.at)
    null = compiler.constant(None, tree.at)
    return place(ast.IfExp(compiler.compare(keep, ast.IsNot(), null, tree.at), loop, null), tree.at)  # type: ignore[no-any-return]


def _decided(
    compiler: ExpressionCompiler, tree: Tree, made: ast.expr, refuse: Callable[[Any], NoReturn]
) -> ast.expr:
    """`answer is True or (answer is not False and refuse(answer))`; a comparison needs no such question."""
    if is_condition(tree):
        return made
    keep, again = compiler.kept(made, tree.at)
    is_true = compiler.compare(keep, ast.Is(), compiler.constant(True, tree.at), tree.at)
    is_other = compiler.compare(again, ast.IsNot(), compiler.constant(False, tree.at), tree.at)
    refused = ast.BoolOp(ast.And(), [is_other, compiler.call(refuse, [again], tree.at)])
    return compiler.place(ast.BoolOp(ast.Or(), [is_true, compiler.place(refused, tree.at)]), tree.at)  # type: ignore[no-any-return]
