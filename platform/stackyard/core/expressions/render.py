"""A tree back to text: the one spelling the console and the files show. `parse(render(tree)) == tree`."""

from __future__ import annotations

import json
import re

from .parser import BINDING, CHOICE_POWER, COMPARISON_POWER, NOT_POWER
from .tree import Access, Binary, Choice, Lambda, ListOf, Literal, MapOf, Name, Pipe, Tree, Unary

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
PIPE_POWER = 10
UNARY_POWER = 11
_ATOM_POWER = 12


def render(tree: Tree) -> str:
    """The expression's text."""
    return text_of(tree, 0)


def text_of(tree: Tree, power: int) -> str:
    """The text of a part that stands where only what binds at least as tightly as `power` needs no brackets."""
    own, text = _spell(tree)
    return text if own >= power else f"({text})"


def _spell(tree: Tree) -> tuple[int, str]:
    """The node's binding power and its text."""
    match tree:
        case Literal():
            return _literal(tree.value)
        case Name():
            return _ATOM_POWER, tree.name
        case Access():
            return _ATOM_POWER, text_of(tree.of, _ATOM_POWER) + _key(tree.key)
        case Unary(operator="not"):
            return NOT_POWER, f"not {text_of(tree.operand, NOT_POWER)}"
        case Unary():
            return UNARY_POWER, _negative(tree)
        case Binary():
            return BINDING[tree.operator], _binary(tree)
        case Choice():
            power = CHOICE_POWER + 1
            then, otherwise = text_of(tree.then, CHOICE_POWER), text_of(tree.otherwise, CHOICE_POWER)
            return CHOICE_POWER, f"{text_of(tree.condition, power)} ? {then} : {otherwise}"
        case ListOf():
            return _ATOM_POWER, "[" + ", ".join(text_of(item, 0) for item in tree.items) + "]"
        case MapOf():
            return _ATOM_POWER, "{" + ", ".join(
                f"{_map_key(k)}: {text_of(v, 0)}" for k, v in tree.entries
            ) + "}"
        case Lambda():
            names = tree.parameters[0] if len(tree.parameters) == 1 else f"({', '.join(tree.parameters)})"
            return 0, f"{names} => {text_of(tree.body, 0)}"
        case Pipe():
            arguments = f"({', '.join(text_of(a, 0) for a in tree.arguments)})" if tree.arguments else ""
            return PIPE_POWER, f"{text_of(tree.value, PIPE_POWER)} | {tree.name}{arguments}"


def _literal(value: bool | int | float | str | None) -> tuple[int, str]:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return _ATOM_POWER, json.dumps(value, ensure_ascii=False)
    text = repr(value)
    return (_ATOM_POWER if value >= 0 and not text.startswith("-") else UNARY_POWER), text


def _negative(tree: Unary) -> str:
    # A minus before a number would be read as part of the number, also where the number is read from: (0).x
    text = text_of(tree.operand, UNARY_POWER)
    starts_with_number = text[0].isdigit() or (isinstance(tree.operand, Literal) and text[0] == "-")
    return f"-({text})" if starts_with_number else f"-{text}"


def operand_powers(operator: str) -> tuple[int, int]:
    """How tightly the left and the right operand of an operator must bind to stand without brackets."""
    power = BINDING[operator]
    left = power + 1 if operator == "??" or power == COMPARISON_POWER else power
    return left, power if operator == "??" else power + 1


def _binary(tree: Binary) -> str:
    left_power, right_power = operand_powers(tree.operator)
    return f"{text_of(tree.left, left_power)} {tree.operator} {text_of(tree.right, right_power)}"


def _key(key: Tree) -> str:
    if isinstance(key, Literal) and isinstance(key.value, str) and _PLAIN_KEY.match(key.value):
        return f".{key.value}"
    return f"[{text_of(key, 0)}]"


def _map_key(key: str) -> str:
    return key if _PLAIN_KEY.match(key) else json.dumps(key, ensure_ascii=False)
