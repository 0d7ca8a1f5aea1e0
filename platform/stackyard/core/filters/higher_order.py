"""Filters that call a function of yours for every element: `orders | filter(o => o.total > 100) | map(o => o.total)`.

The function gets the element and its place (from 0). What decides must be true or false, as conditions are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import types as t
from ..filter import Budget, element, element_or_null, filter, lambda_result, same
from ..guards import undecided

Decides = Callable[[object, int], object]


@filter("higher-order", result=lambda given: t.list_of(lambda_result(given)))
def map_(budget: Budget, value: list[object], function: Callable[..., object]) -> list[object]:
    """A list of what a function makes of every element.

    >>> [{value: 2}, {value: 5}] | map(o => o.value * 2)
    [4, 10]
    >>> ["a", "b"] | map((o, i) => o ~ i)
    ["a0", "b1"]
    """
    budget.spend(len(value))
    budget.room(8 * len(value))
    return [function(entry, place) for place, entry in enumerate(value)]


@filter("higher-order", result=same)
def filter_(budget: Budget, value: list[object], function: Callable[..., object]) -> list[object]:
    """The elements for which a function gives true.

    >>> [{value: 2}, {value: 5}] | filter(o => o.value % 2 == 0)
    [{value: 2}]
    """
    budget.spend(len(value))
    budget.room(8 * len(value))
    kept = []
    for place, entry in enumerate(value):
        answer = function(entry, place)
        if answer is True:
            kept.append(entry)
        elif answer is not False:
            raise undecided(answer)
    return kept


@filter("higher-order")
def some(budget: Budget, value: list[object], function: Callable[..., object]) -> bool:
    """Whether a function gives true for any element; false for an empty list.

    >>> [1, 2, 3] | some(n => n > 2)
    true
    """
    return _place(budget, value, function, True) is not None


@filter("higher-order")
def every(budget: Budget, value: list[object], function: Callable[..., object]) -> bool:
    """Whether a function gives true for all elements; true for an empty list.

    >>> [1, 2, 3] | every(n => n > 2)
    false
    """
    return _place(budget, value, function, False) is None


@filter("higher-order", result=element_or_null)
def find(budget: Budget, value: list[object], function: Callable[..., object]) -> object:
    """The first element for which a function gives true, or null.

    >>> [{id: 1}, {id: 2}, {id: 3}] | find(o => o.id == 2)
    {id: 2}
    """
    place = _place(budget, value, function, True)
    return None if place is None else value[place]


@filter("higher-order")
def findIndex(budget: Budget, value: list[object], function: Callable[..., object]) -> int | None:
    """The place of the first element for which a function gives true, or null.

    >>> [{id: 1}, {id: 2}, {id: 3}] | findIndex(o => o.id == 2)
    1
    """
    return _place(budget, value, function, True)


def _place(budget: Budget, value: list[object], function: Decides, wanted: bool) -> int | None:
    """The first place at which the function gives `wanted`; only the turns taken are paid for."""
    for place, entry in enumerate(value):
        budget.spend(1)
        answer = function(entry, place)
        if answer is wanted:
            return place
        if answer is not True and answer is not False:
            raise undecided(answer)
    return None


def _accumulator(given: Sequence[t.Type]) -> t.Type:
    """What the accumulator may be: it begins as the argument and goes on as what the function gives."""
    start = given[2] if len(given) > 2 else t.ANY
    if start.is_number:
        return t.NUMBER
    return {"object": t.OBJECT, "list": t.LIST, "null": t.ANY}.get(start.name, start)


def _reduce_types(given: Sequence[t.Type]) -> Sequence[t.Type]:
    return (_accumulator(given), element(given), t.INT)


def _reduce_result(given: Sequence[t.Type]) -> t.Type:
    return t.join(given[2], given[1]) if len(given) > 2 else t.ANY


@filter("higher-order", result=_reduce_result, lambda_types=_reduce_types)
def reduce(budget: Budget, value: list[object], function: Callable[..., object], start: object) -> object:
    """One value out of all elements: a function gets the result so far, the element and its place.

    >>> [1, 2, 3, 4, 5] | reduce((sum, n) => sum + n, 10)
    25
    """
    result = start
    for place, entry in enumerate(value):
        budget.spend(1)
        result = function(result, entry, place)
    return result


@filter("higher-order", result=lambda_result, lambda_types=lambda given: given[:1])
def transform(value: object, function: Callable[..., object]) -> object:
    """What a function makes of the piped value.

    >>> 2 | transform(v => v + 3)
    5
    """
    return function(value)
