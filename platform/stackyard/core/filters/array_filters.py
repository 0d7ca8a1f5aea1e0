"""Filters that keep or find elements without a function: by emptiness, and by an example.

An example is an object: an element matches when it holds every key of the example with an equal value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import types as t
from ..expressions import operations as op
from ..filter import Budget, element_or_null, filter, same
from .comparison import empty
from .paths import By, reader
from .values import ENTRY, Gathered


def _kept(budget: Budget, value: Gathered, by: By, drops: Callable[[Any], bool]) -> Gathered:
    budget.spend(len(value))
    budget.room(ENTRY * len(value) if isinstance(value, dict) else 8 * len(value))
    read = reader(by)
    if isinstance(value, dict):
        numbered = enumerate(value.items())
        return {key: entry for position, (key, entry) in numbered if not drops(read(entry, position))}
    return [entry for position, entry in enumerate(value) if not drops(read(entry, position))]


def _without_null(given: Sequence[t.Type]) -> t.Type:
    """The piped list, whose elements are never null when they themselves are looked at."""
    if len(given) == 1 and given[0].name == "list":
        return t.list_of((given[0].of or t.ANY).not_null())
    return given[0]


@filter("array", result=_without_null)
def filter_empty(budget: Budget, value: Gathered, by: By = None) -> Gathered:
    """The entries that are not empty ("", null, 0, "0", false, [], {}), or in which what is named is not.

    >>> [1, 0, "", "a", null] | filter_empty
    [1, "a"]
    >>> [{a: 1}, {a: 0}] | filter_empty("a")
    [{a: 1}]
    """
    return _kept(budget, value, by, empty)


@filter("array", result=same)
def filter_empty_text(budget: Budget, value: Gathered, by: By = None) -> Gathered:
    """The entries that are not "", or in which what is named is not.

    >>> ["a", "", 0] | filter_empty_text
    ["a", 0]
    """
    return _kept(budget, value, by, lambda found: found == "")


@filter("array", result=same)
def filter_empty_array(budget: Budget, value: Gathered, by: By = None) -> Gathered:
    """The entries that are not an empty list, or in which what is named is not.

    >>> [[1], [], 0] | filter_empty_array
    [[1], 0]
    """
    return _kept(budget, value, by, lambda found: isinstance(found, list) and not found)


@filter("array", result=same)
def filter_empty_object(budget: Budget, value: Gathered, by: By = None) -> Gathered:
    """The entries that are not an empty object, or in which what is named is not.

    >>> [{a: 1}, {}, 0] | filter_empty_object
    [{a: 1}, 0]
    """
    return _kept(budget, value, by, lambda found: isinstance(found, dict) and not found)


@filter("array", result=_without_null)
def filter_null(budget: Budget, value: Gathered, by: By = None) -> Gathered:
    """The entries that are not null, or in which what is named is not.

    >>> [1, null, 2] | filter_null
    [1, 2]
    >>> {a: 1, b: null} | filter_null
    {a: 1}
    """
    return _kept(budget, value, by, lambda found: found is None)


@filter("array", result=same)
def filter_zero(budget: Budget, value: Gathered, by: By = None) -> Gathered:
    """The entries that are not the number 0, or in which what is named is not.

    >>> [0, 1, false] | filter_zero
    [1, false]
    """
    return _kept(budget, value, by, lambda found: op.is_number(found) and found == 0)


@filter("array", result=same)
def filter_false(budget: Budget, value: Gathered, by: By = None) -> Gathered:
    """The entries that are not false, or in which what is named is not.

    >>> [0, 1, false] | filter_false
    [0, 1]
    """
    return _kept(budget, value, by, lambda found: found is False)


def _matches(element: object, example: dict[str, object]) -> bool:
    return isinstance(element, dict) and all(
        key in element and op.equal(element[key], wanted) for key, wanted in example.items()
    )


@filter("array", result=element_or_null)
def array_find(budget: Budget, value: list[object], example: dict[str, object]) -> object:
    """The first element that matches an example, or null.

    >>> [{id: 1, n: "a"}, {id: 2, n: "b"}] | array_find({id: 2})
    {id: 2, n: "b"}
    """
    budget.spend(len(value))
    return next((entry for entry in value if _matches(entry, example)), None)


@filter("array")
def array_has(budget: Budget, value: list[object], example: dict[str, object]) -> bool:
    """Whether any element matches an example.

    >>> [{id: 1}, {id: 2}] | array_has({id: 3})
    false
    """
    budget.spend(len(value))
    return any(_matches(entry, example) for entry in value)


@filter("array", result=same)
def array_filter(budget: Budget, value: list[object], example: dict[str, object]) -> list[object]:
    """The elements that match an example.

    >>> [{id: 1, g: "x"}, {id: 2, g: "y"}] | array_filter({g: "y"})
    [{id: 2, g: "y"}]
    """
    budget.spend(len(value))
    budget.room(8 * len(value))
    return [entry for entry in value if _matches(entry, example)]


@filter("array")
def array_replace(
    budget: Budget, value: list[object], example: dict[str, object], replacement: object
) -> list[object]:
    """The list with a replacement in place of every element that matches an example.

    >>> [{id: 1}, {id: 2}] | array_replace({id: 2}, "gone")
    [{id: 1}, "gone"]
    """
    budget.spend(len(value))
    budget.room(8 * len(value))
    return [replacement if _matches(entry, example) else entry for entry in value]


@filter("array")
def array_upmerge(
    budget: Budget, value: list[object], example: dict[str, object], entries: dict[str, object]
) -> list[object]:
    """The list with more entries merged into every element that matches an example.

    >>> [{id: 1}, {id: 2}] | array_upmerge({id: 2}, {n: "b"})
    [{id: 1}, {id: 2, n: "b"}]
    """
    budget.spend(len(value))
    made: list[object] = []
    for entry in value:
        if isinstance(entry, dict) and _matches(entry, example):
            budget.room(ENTRY * (len(entry) + len(entries)))
            made.append({**entry, **entries})
        else:
            made.append(entry)
    budget.room(8 * len(made))
    return made
