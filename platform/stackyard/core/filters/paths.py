"""Paths into values: `items.0.price`, a number for one place in a list, or a list of keys where a key holds a dot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..filter import Budget
from ..guards import Refusal, show, weigh

Path = str | int | list[str | int]
"""How a path is written."""

By = str | int | list[str | int] | Callable[..., object] | None
"""What to look at in every element: a path, a lambda, or the element itself."""

MISSING: Any = object()
_DEEPEST = 100


def keys_of(path: Path) -> list[str | int]:
    """The keys of a path, outermost first; none for "". Refusal past 100."""
    keys: list[str | int]
    if isinstance(path, str):
        keys = list(path.split(".", _DEEPEST + 1)) if path else []
    else:
        keys = list(path) if isinstance(path, list) else [path]
    if len(keys) > _DEEPEST:
        raise Refusal(f"a path has at most {_DEEPEST} keys")
    return keys


def place_in(value: list[Any], key: str | int) -> int | None:
    """The place a key names in a list: counted from 0, from the end when negative. None when it names none."""
    if isinstance(key, str):
        digits = key.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
            return None
        key = int(key)
    return key if -len(value) <= key < len(value) else None


def read(value: Any, keys: list[str | int]) -> Any:
    """What stands at the end of a path, MISSING when nothing does."""
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key if isinstance(key, str) else str(key), MISSING)
        elif isinstance(value, list):
            place = place_in(value, key)
            value = MISSING if place is None else value[place]
        else:
            return MISSING
        if value is MISSING:
            return MISSING
    return value


def reader(by: By) -> Callable[[Any, int], Any]:
    """A function of an element and its position that gives what `by` names in it, null when there is nothing."""
    if by is None:
        return lambda element, _position: element
    if isinstance(by, str | int | list):
        keys = keys_of(by)
        if len(keys) == 1 and isinstance(keys[0], str):
            return _member(keys[0])
        return lambda element, _position: _or_null(read(element, keys))
    return by


def _member(key: str) -> Callable[[Any, int], Any]:
    def member(element: Any, _position: int) -> Any:
        return element.get(key) if element.__class__ is dict else _or_null(read(element, [key]))

    return member


def _or_null(value: Any) -> Any:
    return None if value is MISSING else value


def changed(budget: Budget, value: Any, keys: list[str | int], change: Callable[[Any], Any]) -> Any:
    """A copy of `value` in which what stands at the end of a path is `change` of what stood there (or MISSING).

    Only what leads there is copied, and the budget pays for it. Objects that are absent or null on the way are made; `change` may answer
    MISSING to take the place out.
    """
    if not keys:
        return change(value)
    key, rest = keys[0], keys[1:]
    if value is None or value is MISSING:
        value = {}
    if isinstance(value, dict):
        key = str(key)
        made = changed(budget, value.get(key, MISSING), rest, change)
        budget.room(weigh(value))
        copy = dict(value)
        if made is MISSING:
            copy.pop(key, None)
        else:
            copy[key] = made
        return copy
    if isinstance(value, list):
        return _changed_list(budget, value, key, rest, change)
    raise Refusal(f"expected an object or a list to hold {show(key)}, got {show(value)}")


def _changed_list(
    budget: Budget, value: list[Any], key: str | int, rest: list[str | int], change: Callable[[Any], Any]
) -> list[Any]:
    place = place_in(value, key)
    if place is None and str(key) != str(len(value)):
        raise Refusal(
            f"a list of {len(value)} has no place {show(key)}", "The next free place is its length."
        )
    made = changed(budget, MISSING if place is None else value[place], rest, change)
    budget.room(weigh(value))
    copy = list(value)
    if place is None:
        return copy if made is MISSING else [*copy, made]
    if made is MISSING:
        del copy[place]
    else:
        copy[place] = made
    return copy
