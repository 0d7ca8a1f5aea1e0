"""What filters need to know of values: a key that equal values share, a value as text, a text as bytes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from ..errors import Problem
from ..expressions import operations as op
from ..filter import Budget
from ..guards import Refusal
from ..jsonout import encode, measure

Gathered = list[object] | dict[str, object]
"""What holds other values."""

ENTRY = 100
"""About the bytes of an entry of an object, without its value."""

PIECE = 60
"""About the bytes of a short text besides its characters, its place in a list included."""

DEEPEST = 100
"""How deep a value may nest where it has to be walked."""


def key_of(budget: Budget, value: Any, depth: int = 0) -> object:
    """Something hashable that is the same for values that `==` calls equal and differs for others.

    Every value inside counts as a step, because a value may refer to its parts many times over.
    """
    kind = value.__class__
    if kind is bool:
        return (bool, value)
    if kind is Decimal:
        # A float equals the decimal it is written as, but Python hashes them apart.
        near = float(value)
        return near if Decimal(repr(near)) == value else value
    if kind is not list and kind is not dict:
        return value
    if depth > DEEPEST:
        raise Refusal("the value is nested too deep")
    budget.spend(len(value) + 1)
    if kind is list:
        return (list, *(key_of(budget, entry, depth + 1) for entry in value))
    return (dict, frozenset((key, key_of(budget, entry, depth + 1)) for key, entry in value.items()))


def key_text(value: str | int | float | bool | Decimal | datetime) -> str:
    """The text under which a value becomes a key of an object."""
    return value if isinstance(value, str) else op.text_of(value)


def json_text(budget: Budget, value: Any) -> str:
    """A value as JSON, paid for before it is written, since a value may refer to its parts many times over."""
    budget.room(measure(value))
    try:
        return encode(value).decode()
    except Problem:
        raise Refusal("the value is nested too deep") from None


def written(budget: Budget, value: object) -> str:
    """A value as `~` joins it: null is "", lists and objects are JSON."""
    return json_text(budget, value) if isinstance(value, list | dict) else op.text_of(value)


def utf8(value: str) -> bytes:
    """The bytes of a text; a Refusal for half of a character, which no bytes can spell."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise Refusal("the text holds half of a character (a lone surrogate)") from None


def text_from(raw: bytes) -> str:
    """The text that bytes spell; a Refusal when they are no UTF-8, for values are text and never bytes."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Refusal("what it decodes to is not text (UTF-8)") from None
