"""What filters that gather values need to know of them: a key that equal values share, and a key's text."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from ..expressions import operations as op
from ..filter import Budget
from ..guards import Refusal

_DEEPEST = 100


def key_of(budget: Budget, value: Any, depth: int = 0) -> object:
    """Something hashable that is the same for values that `==` calls equal and differs for others.

    Every value inside counts as a step, because a value may refer to its parts many times over.
    """
    kind = value.__class__
    if kind is bool:
        return (bool, value)
    if kind is not list and kind is not dict:
        return value
    if depth > _DEEPEST:
        raise Refusal("the value is nested too deep")
    budget.spend(len(value) + 1)
    if kind is list:
        return (list, *(key_of(budget, entry, depth + 1) for entry in value))
    return (dict, frozenset((key, key_of(budget, entry, depth + 1)) for key, entry in value.items()))


def key_text(value: str | int | float | bool | Decimal | datetime) -> str:
    """The text under which a value becomes a key of an object."""
    return value if isinstance(value, str) else op.text_of(value)
