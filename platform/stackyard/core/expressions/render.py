"""A tree back to text: the one spelling the console and the files show. `parse(render(tree)) == tree`."""

from __future__ import annotations

import json
import re

from .parser import BINDING, CHOICE_POWER, COMPARISON_POWER, NOT_POWER
from .tree import Access, Binary, Choice, Lambda, ListOf, Literal, MapOf, Name, Pipe, Tree, Unary

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PIPE_POWER = 10
_UNARY_POWER = 11
_ATOM_POWER = 12


def render(tree: Tree) -> str:
    """The expression's text."""
    return _text(tree, 0)


def _text(tree: Tree, power: int) -> str:
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
            return _ATOM_POWER, _text(tree.of, _ATOM_POWER) + _key(tree.key)
        case Unary(operator="not"):
            return NOT_POWER, f"not {_text(tree.operand, NOT_POWER)}"
        case Unary():
            return _UNARY_POWER, _negative(tree)
        case Binary():
            return BINDING[tree.operator], _binary(tree)
        case Choice():
            power = CHOICE_POWER + 1
            then, otherwise = _text(tree.then, CHOICE_POWER), _text(tree.otherwise, CHOICE_POWER)
            return CHOICE_POWER, f"{_text(tree.condition, power)} ? {then} : {otherwise}"
        case ListOf():
            return _ATOM_POWER, "[" + ", ".join(_text(item, 0) for item in tree.items) + "]"
        case MapOf():
            return _ATOM_POWER, "{" + ", ".join(
                f"{_map_key(k)}: {_text(v, 0)}" for k, v in tree.entries
            ) + "}"
        case Lambda():
            names = tree.parameters[0] if len(tree.parameters) == 1 else f"({', '.join(tree.parameters)})"
            return 0, f"{names} => {_text(tree.body, 0)}"
        case Pipe():
            arguments = f"({', '.join(_text(a, 0) for a in tree.arguments)})" if tree.arguments else ""
            return _PIPE_POWER, f"{_text(tree.value, _PIPE_POWER)} | {tree.name}{arguments}"


def _literal(value: bool | int | float | str | None) -> tuple[int, str]:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return _ATOM_POWER, json.dumps(value, ensure_ascii=False)
    text = repr(value)
    return (_ATOM_POWER if value >= 0 and not text.startswith("-") else _UNARY_POWER), text


def _negative(tree: Unary) -> str:
    # A minus before a number would be read as part of the number, also where the number is read from: (0).x
    text = _text(tree.operand, _UNARY_POWER)
    starts_with_number = text[0].isdigit() or (isinstance(tree.operand, Literal) and text[0] == "-")
    return f"-({text})" if starts_with_number else f"-{text}"


def _binary(tree: Binary) -> str:
    power = BINDING[tree.operator]
    left_power = power + 1 if tree.operator == "??" or power == COMPARISON_POWER else power
    right_power = power if tree.operator == "??" else power + 1
    return f"{_text(tree.left, left_power)} {tree.operator} {_text(tree.right, right_power)}"


def _key(key: Tree) -> str:
    if isinstance(key, Literal) and isinstance(key.value, str) and _PLAIN_KEY.match(key.value):
        return f".{key.value}"
    return f"[{_text(key, 0)}]"


def _map_key(key: str) -> str:
    return key if _PLAIN_KEY.match(key) else json.dumps(key, ensure_ascii=False)
