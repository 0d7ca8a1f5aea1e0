"""An expression in the parts an editor shows: pills, operators and filter chips, its chain, its comparisons.

The parser and `render` do the reading and the writing; nothing here is a second grammar. What an editor composes is
text again, and comes back through `pieces_of`.
"""

from __future__ import annotations

from typing import Any

from .parser import BINDING, COMPARISON_POWER, NOT_POWER, parse
from .render import PIPE_POWER, UNARY_POWER, operand_powers, render, text_of
from .tree import Access, Binary, Choice, ExpressionError, Literal, Name, Pipe, Tree, Unary

Segment = list[str]
"""`[kind, text]`: `name` (a variable and the way into it), `literal`, `operator`, `code` (anything else), or
`[“filter”, name, arguments]`."""

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_TESTS = frozenset({"is_empty", "is_not_empty", "is_null", "is_not_null"})
MAX_SEGMENTS = 200


def pieces_of(source: str) -> dict[str, Any]:
    """`{"text", "segments", "chain", "tests"}`, or `{"error": {"message", "column"}}` for a text that is no expression.

    `text` is the one spelling of it. `chain` is `{"base", "kind", "value"?, "filters": [{"name", "arguments"}]}`, every part
    as text. `tests` is `{"join", "parts": [{"left", "op", "right"}]}` where it is comparisons joined by one word, else null.
    """
    try:
        tree = parse(source)
    except ExpressionError as error:
        return {"error": {"message": error.message, "column": error.column}}
    return {"text": render(tree), "segments": segments(tree), "chain": _chain(tree), "tests": _tests(tree)}


def is_path(tree: Tree) -> bool:
    """Whether it is a name and keys that are written out: `customer`, `customer.name`, `orders[0].total`."""
    while isinstance(tree, Access):
        if not isinstance(tree.key, Literal):
            return False
        tree = tree.of
    return isinstance(tree, Name)


def segments(tree: Tree) -> list[Segment]:
    """The expression as a row shows it; one that is very long as a single piece of code."""
    made: list[Segment] = []
    _speak(tree, 0, made)
    return made if len(made) <= MAX_SEGMENTS else [["code", render(tree)]]


def _speak(tree: Tree, power: int, made: list[Segment]) -> None:
    own = _power(tree)
    if own < power:
        made.append(["operator", "("])
    match tree:
        case Literal():
            made.append(["literal", render(tree)])
        case Pipe():
            _speak(tree.value, PIPE_POWER, made)
            made.append(["filter", tree.name, ", ".join(map(render, tree.arguments))])
        case Unary(operator="not"):
            made.append(["operator", "not"])
            _speak(tree.operand, NOT_POWER, made)
        case Binary():
            left, right = operand_powers(tree.operator)
            _speak(tree.left, left, made)
            made.append(["operator", tree.operator])
            _speak(tree.right, right, made)
        case Choice():
            _speak(tree.condition, 2, made)
            made.append(["operator", "?"])
            _speak(tree.then, 1, made)
            made.append(["operator", ":"])
            _speak(tree.otherwise, 1, made)
        case _:
            made.append(["name" if is_path(tree) else "code", render(tree)])
    if own < power:
        made.append(["operator", ")"])


def _power(tree: Tree) -> int:
    match tree:
        case Binary():
            return BINDING[tree.operator]
        case Choice():
            return 1
        case Unary(operator="not"):
            return NOT_POWER
        case Pipe():
            return PIPE_POWER
        case _:
            return UNARY_POWER


def _chain(tree: Tree) -> dict[str, Any]:
    filters: list[dict[str, Any]] = []
    while isinstance(tree, Pipe):
        filters.insert(0, {"name": tree.name, "arguments": [render(argument) for argument in tree.arguments]})
        tree = tree.value
    made: dict[str, Any] = {
        "base": text_of(tree, PIPE_POWER) if filters else render(tree),
        "filters": filters,
    }
    if isinstance(tree, Literal):
        return {**made, "kind": "literal", "value": tree.value}
    return {**made, "kind": "name" if is_path(tree) else "code"}


def _tests(tree: Tree) -> dict[str, Any] | None:
    join = tree.operator if isinstance(tree, Binary) and tree.operator in ("and", "or") else "and"
    parts = [_test(part) for part in _joined(tree, join)]
    known = [part for part in parts if part is not None]
    return {"join": join, "parts": known} if len(known) == len(parts) else None


def _joined(tree: Tree, join: str) -> list[Tree]:
    found: list[Tree] = []
    while isinstance(tree, Binary) and tree.operator == join:
        found.insert(0, tree.right)
        tree = tree.left
    return [tree, *found]


def _test(tree: Tree) -> dict[str, Any] | None:
    match tree:
        case Binary() if tree.operator in _COMPARISONS:
            left, right = operand_powers(tree.operator)
            return {
                "left": text_of(tree.left, left),
                "op": tree.operator,
                "right": text_of(tree.right, right),
            }
        case Pipe(arguments=()) if tree.name in _TESTS:
            return {"left": text_of(tree.value, COMPARISON_POWER + 1), "op": tree.name, "right": None}
        case Unary(operator="not", operand=operand) if is_path(operand):
            return {"left": render(operand), "op": "is_false", "right": None}
        case Name() | Access() if is_path(tree):
            return {"left": render(tree), "op": "is_true", "right": None}
    return None
