"""The filter that sorts, and the orders it knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ..errors import did_you_mean
from ..expressions import operations as op
from ..filter import Budget, filter, same
from ..guards import Refusal, show
from .numbers import as_written
from .paths import By, reader

_DIGITS = re.compile("([0-9]+)")


@filter("array", result=same)
def sort(
    budget: Budget, value: list[object], by: By = None, type: str | None = None, ascending: bool = True
) -> list[object]:
    """The elements in order, or in the order of what a path or a function names in them; nulls come last.

    Numbers, texts and timestamps are ordered as `<` orders them. A type orders otherwise: "text", "itext"
    (upper and lower case the same), "natural" and "inatural" (numbers within texts by their size), "number".

    >>> [3, 1, 2] | sort
    [1, 2, 3]
    >>> [{v: "a", e: 20}, {v: "z", e: 10}] | sort("e")
    [{v: "z", e: 10}, {v: "a", e: 20}]
    >>> ["a10", "a2"] | sort("", "natural", false)
    ["a10", "a2"]
    >>> [{p: 5}, {p: 7}] | sort(o => -o.p)
    [{p: 7}, {p: 5}]
    """
    budget.spend(len(value))
    budget.room(24 * len(value))
    read = reader(by)
    paired = [(read(element, position), element) for position, element in enumerate(value)]
    present = [pair for pair in paired if pair[0] is not None]
    key = _typed(type) if type else _same_kind([pair[0] for pair in present])
    present.sort(key=lambda pair: key(pair[0]), reverse=not ascending)
    return [element for _, element in present] + [element for key_, element in paired if key_ is None]


def _same_kind(keys: list[Any]) -> Callable[[Any], Any]:
    """Values order themselves, as long as they are all of a kind that has an order."""
    kinds = set(map(type, keys))
    if {float, Decimal} <= kinds <= {int, float, Decimal}:
        return as_written
    for ordered in ({int, float, Decimal}, {str}, {datetime}, {bool}):
        if kinds <= ordered:
            return lambda key: key
    for key in keys:
        if key.__class__ in (list, dict):
            raise Refusal(
                f"{show(key)} has no order", 'Name what to sort by: … | sort("price") or sort(o => o.price).'
            )
    other = next(key for key in keys if op.kind_of(key) != op.kind_of(keys[0]))
    raise Refusal(
        f"{show(keys[0])} and {show(other)} have no order", 'Give a type of order: … | sort("", "text").'
    )


def _typed(type: str) -> Callable[[Any], Any]:
    order = _ORDERS.get(type)
    if order is None:
        raise Refusal(f"there is no order {show(type)}.{did_you_mean(type[:20], _ORDERS)}")
    return order


def _scalar(key: Any) -> Any:
    if isinstance(key, list | dict):
        raise Refusal(f"{show(key)} has no order")
    return key


def _text(key: Any) -> str:
    return op.text_of(_scalar(key))


def _itext(key: Any) -> str:
    return _text(key).casefold()


def _number(key: Any) -> Any:
    if op.is_number(key):
        return key
    try:
        number = Decimal(key) if isinstance(key, str) and len(key) < 100 else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise Refusal(f"expected numbers, got {show(key)}")
    return number


def _natural_parts(text: str) -> list[Any]:
    """Texts and numbers by turns; a number as its count of digits and its digits, so that any length will do."""
    parts: list[Any] = _DIGITS.split(text)
    for place in range(1, len(parts), 2):
        digits = parts[place].lstrip("0")
        parts[place] = (len(digits), digits)
    return parts


_ORDERS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "itext": _itext,
    "natural": lambda key: _natural_parts(_text(key)),
    "inatural": lambda key: _natural_parts(_itext(key)),
    "number": _number,
}
