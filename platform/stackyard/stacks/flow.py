"""Where the flow of a stack parts and meets again: what is known of each variable afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stackyard.core import types as t
from stackyard.core.expressions import ExpressionError, Tree, parse
from stackyard.core.expressions.scope import Scope
from stackyard.core.expressions.tree import Access, Binary, Literal, Name, Unary

from .values import expression_of


def meet(scopes: Sequence[Scope]) -> Scope:
    """The scope after ways that all lead here; a name that one of them does not set may be null."""
    if len(scopes) == 1:
        return scopes[0].copy()
    merged = Scope()
    for name in dict.fromkeys(name for scope in scopes for name in scope.bindings):
        found = [scope.find(name) for scope in scopes]
        known = [binding for binding in found if binding is not None]
        type_ = known[0].type
        for binding in known[1:]:
            type_ = t.join(type_, binding.type)
        unset = len(known) < len(found) or any(b.may_be_unset for b in known)
        merged.set(name, replace(known[0], type=type_.or_null() if unset else type_, may_be_unset=unset))
    return merged


def narrow(scope: Scope, value: object, holds: bool) -> None:
    """Learn from a condition that held (or did not): after `x != null`, x is not null."""
    source = expression_of(value)
    if source is None:
        return
    try:
        tree = parse(source)
    except ExpressionError:
        return
    _narrow(scope, tree, holds)


def _narrow(scope: Scope, tree: Tree, holds: bool) -> None:
    match tree:
        case Unary(operator="not"):
            _narrow(scope, tree.operand, not holds)
        case Binary(operator="and") if holds:
            _narrow(scope, tree.left, True)
            _narrow(scope, tree.right, True)
        case Binary(operator="or") if not holds:
            _narrow(scope, tree.left, False)
            _narrow(scope, tree.right, False)
        case Binary(operator="!=", right=Literal(value=None)) if holds:
            _not_null(scope, tree.left)
        case Binary(operator="==", right=Literal(value=None)) if not holds:
            _not_null(scope, tree.left)


def _not_null(scope: Scope, tree: Tree) -> None:
    match tree:
        case Name():
            binding = scope.find(tree.name)
            if binding is not None:
                scope.set(tree.name, replace(binding, type=binding.type.not_null(), may_be_unset=False))
        case Access(of=Name() as of, key=Literal(value=str() as key)):
            binding = scope.find(of.name)
            if binding is not None and binding.type.fields and key in binding.type.fields:
                fields = {**binding.type.fields, key: binding.type.fields[key].not_null()}
                scope.set(of.name, replace(binding, type=replace(binding.type, fields=fields)))
