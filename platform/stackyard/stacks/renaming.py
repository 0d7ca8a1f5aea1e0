"""Renaming a variable or an input: its definition and every expression that reads it, at once, texts kept as they were typed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from stackyard.core.errors import Problem
from stackyard.core.expressions import ExpressionError, Tree, parse
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
    Unary,
)
from stackyard.core.names import RESERVED, is_name, name_rule

from .document import walk_lines
from .parameters import NewName
from .step import Step
from .values import LITERAL, expression_of


def rename_variable(document: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """A copy of the document in which the variable (or a loop's item) `old` is called `new` everywhere.

    Problem `INVALID_INPUT` for a name that cannot be given or is in use, so that nothing changes its meaning.
    """
    if not is_name(new):
        raise Problem("INVALID_INPUT", f'"{new}" is not a name. {name_rule()}')
    if new in RESERVED or new == "index":
        raise Problem("INVALID_INPUT", f'"{new}" is a word of the language; choose another name.')
    made = copy.deepcopy(document)
    if new in set(_given(made)):
        raise Problem("INVALID_INPUT", f'"{new}" is already the name of something in this stack.')
    for line, _, _ in list(walk_lines(made.get("lines"))):
        if line.get("as") == old:
            line["as"] = new
        kind, params = Step.all().get(str(line.get("step"))), line.get("params")
        if kind is None or not isinstance(params, dict):
            continue
        for parameter in kind.parameters:
            _rename_parameter(parameter, params, old, new)
    return _rewritten(made, partial(renamed_source, old=old, new=new))


def rename_input(document: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """A copy of the document in which the input `old` is called `new`: in its place, in the path, in every expression.

    Problem `INVALID_INPUT` for a name that cannot be given or is another input's.
    """
    inputs = document.get("inputs")
    if not isinstance(inputs, dict) or old not in inputs:
        raise Problem("INVALID_INPUT", f'There is no input "{old}".')
    if not is_name(new):
        raise Problem("INVALID_INPUT", f'"{new}" is not a name. {name_rule()}')
    if new in inputs:
        raise Problem("INVALID_INPUT", f'"{new}" is already an input of this stack.')
    made = copy.deepcopy(document)
    made["inputs"] = {new if name == old else name: spec for name, spec in made["inputs"].items()}
    if isinstance(made.get("path"), str):
        made["path"] = made["path"].replace(f"{{{old}}}", f"{{{new}}}")
    return _rewritten(made, partial(_renamed_member, old=old, new=new))


def _rewritten(document: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """The document with every expression of its lines and its response changed, in place."""
    _rewrite_inside(document.get("lines"), change)
    document["response"] = _rewrite(document.get("response"), change)
    return document


def _rename_parameter(parameter: Any, params: dict[str, Any], old: str, new: str) -> None:
    given = params.get(parameter.name)
    if isinstance(parameter, NewName) and params.get(parameter.name, parameter.default) == old:
        params[parameter.name] = new
    elif parameter.shown_as == "path" and isinstance(given, str):
        params[parameter.name] = renamed_source(given, old, new)


def _given(document: dict[str, Any]) -> Iterator[str]:
    for line, _, _ in walk_lines(document.get("lines")):
        if isinstance(line.get("as"), str):
            yield line["as"]
        kind, params = Step.all().get(str(line.get("step"))), line.get("params")
        for parameter in kind.parameters if kind is not None and isinstance(params, dict) else ():
            if isinstance(parameter, NewName):
                yield str(params.get(parameter.name, parameter.default))  # type: ignore[union-attr]


def _rewrite_inside(value: Any, change: Callable[[str], str]) -> None:
    if isinstance(value, dict) and set(value) != {LITERAL}:
        for key, part in value.items():
            value[key] = _rewrite(part, change)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            value[number] = _rewrite(part, change)


def _rewrite(value: Any, change: Callable[[str], str]) -> Any:
    source = expression_of(value)
    if source is not None:
        return {"$expr": change(source)}
    _rewrite_inside(value, change)
    return value


def renamed_source(source: str, old: str, new: str) -> str:
    """An expression with a variable renamed; a text that is no expression stays as it is."""
    try:
        tree = parse(source)
    except ExpressionError:
        return source
    for at in sorted(_places(tree, old), reverse=True):
        at += source[at] == "$"
        source = source[:at] + new + source[at + len(old) :]
    return source


def rewritten_lines(lines: list[Any], change: Callable[[str], str]) -> None:
    """Change every expression of lines, in place."""
    _rewrite_inside(lines, change)


def places_of(source: str, name: str) -> list[int]:
    """Where an expression reads a variable; nowhere in a text that is no expression."""
    try:
        return list(_places(parse(source), name))
    except ExpressionError:
        return []


def input_members(source: str, name: str) -> list[int]:
    """Where an expression reads `input.name`; nowhere in a text that is no expression."""
    try:
        return list(_members(parse(source), name))
    except ExpressionError:
        return []


def _renamed_member(source: str, old: str, new: str) -> str:
    """An expression with `input.old` as `input.new`; a text that is no expression stays as it is."""
    try:
        tree = parse(source)
    except ExpressionError:
        return source
    for at in sorted(_members(tree, old), reverse=True):
        at += source[at] in "\"'"
        if source.startswith(old, at):  # else it is written with escapes, as no name is
            source = source[:at] + new + source[at + len(old) :]
    return source


def _members(tree: Tree, name: str) -> Iterator[int]:
    """Offsets of the keys of `input.name`; within a lambda whose parameter is called input, that is another one."""
    match tree:
        case Access(of=Name(name="input"), key=Literal(value=str() as key, at=at)):
            if key == name:
                yield at
        case Lambda():
            if "input" not in tree.parameters:
                yield from _members(tree.body, name)
        case _:
            for part in _parts(tree):
                yield from _members(part, name)


def _places(tree: Tree, name: str) -> Iterator[int]:
    """Offsets of the variable; where a lambda's parameter has the same name, that is another one."""
    match tree:
        case Name():
            if tree.name == name:
                yield tree.at
        case Lambda():
            if name not in tree.parameters:
                yield from _places(tree.body, name)
        case _:
            for part in _parts(tree):
                yield from _places(part, name)


def _parts(tree: Tree) -> tuple[Tree, ...]:
    match tree:
        case Access():
            return (tree.of, tree.key)
        case Unary():
            return (tree.operand,)
        case Binary():
            return (tree.left, tree.right)
        case Choice():
            return (tree.condition, tree.then, tree.otherwise)
        case ListOf():
            return tree.items
        case MapOf():
            return tuple(value for _, value in tree.entries)
        case Pipe():
            return (tree.value, *tree.arguments)
    return ()
