"""Filters for lists: their ends, parts and size, and lists made from values. A list is never changed, always copied."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from .. import types as t
from ..filter import Budget, element_or_null, filter, same
from ..guards import Refusal, show
from .paths import MISSING, By, Path, changed, keys_of, reader
from .text import part
from .values import ENTRY, Gathered, key_of, key_text


def _with(given: Sequence[t.Type]) -> t.Type:
    """The piped list with one more element."""
    if len(given) < 2 or given[0].name != "list":
        return t.LIST
    return t.list_of(t.join(given[0].of or t.ANY, given[1]))


@filter("array", result=element_or_null)
def first(value: list[object]) -> object:
    """The first element, or null.

    >>> ["five", "six", "seven"] | first
    "five"
    """
    return value[0] if value else None


@filter("array", result=element_or_null)
def last(value: list[object]) -> object:
    """The last element, or null.

    >>> ["five", "six", "seven"] | last
    "seven"
    """
    return value[-1] if value else None


@filter("array")
def count(value: Gathered) -> int:
    """How many elements a list or an object has.

    >>> ["five", "six", "seven"] | count
    3
    """
    return len(value)


@filter("array")
def range_(budget: Budget, value: int, stop: int) -> list[int]:
    """The whole numbers from the piped one to another, both included; downwards when that is smaller.

    >>> 10 | range(13)
    [10, 11, 12, 13]
    >>> 3 | range(1)
    [3, 2, 1]
    """
    step = 1 if stop >= value else -1
    budget.room((abs(stop - value) + 1) * 40)
    return list(range(value, stop + step, step))


@filter("array", result=same)
def reverse(value: list[object]) -> list[object]:
    """The elements in the opposite order.

    >>> [12, 13, 14] | reverse
    [14, 13, 12]
    """
    return value[::-1]


@filter("array", result=same)
def unique(budget: Budget, value: list[object], by: By = None) -> list[object]:
    """The elements without those that come a second time, told apart by a path or a function if one is given.

    >>> [12, 13, 13, 12, 11] | unique
    [12, 13, 11]
    >>> [{id: 1, n: "a"}, {id: 1, n: "b"}] | unique("id")
    [{id: 1, n: "a"}]
    """
    budget.spend(len(value))
    budget.room(8 * len(value))
    read = reader(by)
    seen: dict[object, object] = {}
    for position, element in enumerate(value):
        seen.setdefault(key_of(budget, read(element, position)), element)
    return list(seen.values())


@filter("array")
def safe_array(value: object) -> list[object]:
    """A list in any case: lists stay, null becomes an empty list, anything else a list of one.

    >>> 12 | safe_array
    [12]
    >>> [1, 2] | safe_array
    [1, 2]
    """
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


@filter("array")
def flatten(budget: Budget, value: list[object]) -> list[object]:
    """The elements of a list and of all lists within it, in one list.

    >>> [1, [2, 3], [[4, 5]]] | flatten
    [1, 2, 3, 4, 5]
    """
    flat: list[object] = []
    open_lists = [iter(value)]
    while open_lists:
        for entry in open_lists[-1]:
            budget.spend(1)
            if isinstance(entry, list):
                open_lists.append(iter(entry))
                break
            flat.append(entry)
        else:
            open_lists.pop()
    budget.room(8 * len(flat))
    return flat


@filter("array", result=same)
def shuffle(value: list[object]) -> list[object]:
    """The elements in an order that chance decides.

    >>> [1, 2, 3, 4] | shuffle | sort
    [1, 2, 3, 4]
    """
    return random.sample(value, len(value))


@filter("array", result=_with)
def push(value: list[object], element: object) -> list[object]:
    """The list with one more element at its end.

    >>> [1, 2, 3] | push("a")
    [1, 2, 3, "a"]
    """
    return [*value, element]


@filter("array", result=_with)
def push_conditional(value: list[object], element: object, condition: bool) -> list[object]:
    """The list with one more element at its end, if a condition holds.

    >>> [1] | push_conditional(2, true)
    [1, 2]
    >>> [1] | push_conditional(2, false)
    [1]
    """
    return [*value, element] if condition else value


@filter("array", result=element_or_null)
def pop(value: list[object]) -> object:
    """The element a list would lose at its end, or null.

    >>> [1, 2, 3] | pop
    3
    """
    return value[-1] if value else None


@filter("array", result=element_or_null)
def shift(value: list[object]) -> object:
    """The element a list would lose at its start, or null.

    >>> [1, 2, 3] | shift
    1
    """
    return value[0] if value else None


@filter("array", result=_with)
def unshift(value: list[object], element: object) -> list[object]:
    """The list with one more element at its start.

    >>> [1, 2, 3] | unshift(0)
    [0, 1, 2, 3]
    """
    return [element, *value]


def _list_at(budget: Budget, value: Any, path: Path, change: Callable[[list[Any]], list[Any]]) -> Any:
    """The piped value with another list at a path; an absent one is made."""

    def put(found: Any) -> list[Any]:
        if found is MISSING or found is None:
            found = []
        if not isinstance(found, list):
            raise Refusal(f"expected a list at the path, got {show(found)}")
        budget.room(8 * len(found) + 8)
        return change(found)

    return changed(budget, value, keys_of(path), put)


def _list_or_holder(given: Sequence[t.Type]) -> t.Type:
    """The piped list with another element; an object of any keys when the list is somewhere in it."""
    return _with(given[:2]) if given[0].name == "list" and len(given) < 3 else t.Type(given[0].name)


@filter("array", result=_list_or_holder)
def append(budget: Budget, value: Gathered, element: object, path: Path = "") -> Gathered:
    """One more element at the end of the piped list, or of the list at a path.

    >>> [1, 2, 3] | append(4)
    [1, 2, 3, 4]
    >>> {tags: ["a"]} | append("b", "tags")
    {tags: ["a", "b"]}
    """
    return _list_at(budget, value, path, lambda found: [*found, element])  # type: ignore[no-any-return]


@filter("array", result=_list_or_holder)
def prepend(budget: Budget, value: Gathered, element: object, path: Path = "") -> Gathered:
    """One more element at the start of the piped list, or of the list at a path.

    >>> [1, 2, 3] | prepend(0)
    [0, 1, 2, 3]
    """
    return _list_at(budget, value, path, lambda found: [element, *found])  # type: ignore[no-any-return]


@filter("array", result=same)
def slice_(value: list[object], offset: int, length: int | None = None) -> list[object]:
    """A part of a list: from a position, so many elements or all the rest; negative ones count from the end.

    >>> [1, 2, 3, 4, 5] | slice(2, 2)
    [3, 4]
    >>> [1, 2, 3] | slice(-1)
    [3]
    """
    return value[part(len(value), offset, length)]


@filter("array", result=lambda given: t.list_of(given[0]))
def fill(budget: Budget, value: object, count: int) -> list[object]:
    """A list that holds the piped value so many times.

    >>> "v" | fill(3)
    ["v", "v", "v"]
    """
    if count < 0:
        raise Refusal(f"expected a count of at least 0, got {count}")
    budget.room(8 * count)
    return [value] * count


@filter("array")
def fill_keys(budget: Budget, value: object, keys: list[str | int]) -> dict[str, object]:
    """An object with the piped value at every one of the keys.

    >>> 0 | fill_keys(["a", "b"])
    {a: 0, b: 0}
    """
    budget.room(ENTRY * len(keys))
    return {key_text(key): value for key in keys}


@filter("array")
def index_by(budget: Budget, value: list[object], by: By) -> dict[str, object]:
    """The elements in groups: an object with a list of those that share a key, named by a path or a function.

    Elements without a text, number, true or false there are left out.

    >>> [{id: 1, g: "x"}, {id: 2, g: "y"}, {id: 3, g: "x"}] | index_by("g")
    {x: [{id: 1, g: "x"}, {id: 3, g: "x"}], y: [{id: 2, g: "y"}]}
    """
    budget.spend(len(value))
    read = reader(by)
    groups: dict[str, Any] = {}
    for position, element in enumerate(value):
        key = read(element, position)
        if key is not None and not isinstance(key, list | dict):
            groups.setdefault(key_text(key), []).append(element)
    budget.room(ENTRY * len(groups) + 8 * len(value))
    return groups
