"""Filters for objects: reading and setting by path, keys and values, and the choice between values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import types as t
from ..filter import Budget, filter
from ..guards import Refusal, show
from .comparison import empty
from .paths import MISSING, Path, changed, keys_of, read
from .values import ENTRY, Gathered, key_text


def _choice(given: Sequence[t.Type]) -> t.Type:
    """The first of several values that will do."""
    made = given[0].not_null()
    for other in given[1:]:
        made = t.join(made, other)
    return made


def _object_like(given: Sequence[t.Type]) -> t.Type:
    """An object of any keys stays one; a list may come out of a list."""
    return t.OBJECT if given[0].name in ("object", "null") else t.ANY


@filter("object")
def get(value: object, path: Path, default: object = None) -> object:
    """What stands at a path, or the default where nothing does; it never fails, whatever is piped.

    >>> {a: {b: [10, 20]}} | get("a.b.1")
    20
    >>> {a: 1} | get("x.y", "none")
    "none"
    """
    found = read(value, keys_of(path))
    return default if found is MISSING else found


@filter("object")
def has(value: object, path: Path) -> bool:
    """Whether anything, null included, stands at a path.

    >>> {fizz: null} | has("fizz")
    true
    >>> {fizz: {}} | has("fizz.buzz")
    false
    """
    return read(value, keys_of(path)) is not MISSING


@filter("object", result=_object_like)
def set_(budget: Budget, value: Gathered | None, path: Path, new: object) -> Gathered:
    """The object with a value set at a path; objects that lack on the way are made.

    >>> {fizz: "buzz"} | set("foo", "bar")
    {fizz: "buzz", foo: "bar"}
    >>> {a: [{b: 1}]} | set("a.0.b", 2)
    {a: [{b: 2}]}
    """
    keys = keys_of(path)
    if not keys:
        raise Refusal('expected a path, got ""')
    return changed(budget, value, keys, lambda _found: new)  # type: ignore[no-any-return]


@filter("object", result=_object_like)
def set_conditional(
    budget: Budget, value: Gathered | None, path: Path, new: object, condition: bool
) -> Gathered | None:
    """The object with a value set at a path, if a condition holds.

    >>> {} | set_conditional("status", "active", true)
    {status: "active"}
    >>> {} | set_conditional("status", "active", false)
    {}
    """
    return set_(budget, value, path, new) if condition else value


@filter("object", result=_object_like)
def set_ifnotempty(budget: Budget, value: Gathered | None, path: Path, new: object) -> Gathered | None:
    """The object with a value set at a path, unless that is empty ("", null, 0, "0", false, [], {}).

    >>> {} | set_ifnotempty("name", "")
    {}
    >>> {} | set_ifnotempty("name", "John")
    {name: "John"}
    """
    return value if empty(new) else set_(budget, value, path, new)


@filter("object", result=_object_like)
def set_ifnotnull(budget: Budget, value: Gathered | None, path: Path, new: object) -> Gathered | None:
    """The object with a value set at a path, unless that is null.

    >>> {} | set_ifnotnull("name", null)
    {}
    """
    return value if new is None else set_(budget, value, path, new)


@filter("object", result=_object_like)
def unset(budget: Budget, value: Gathered, path: Path) -> Gathered:
    """The object without what stands at a path.

    >>> {fizz: "buzz", foo: {bar: 1}} | unset("foo.bar")
    {fizz: "buzz", foo: {}}
    """
    keys = keys_of(path)
    if not keys or read(value, keys) is MISSING:
        return value
    return changed(budget, value, keys, lambda _found: MISSING)  # type: ignore[no-any-return]


@filter("object")
def keys(value: Gathered) -> list[object]:
    """The keys of an object, or the places of a list.

    >>> {a: 1, b: 2, c: 3} | keys
    ["a", "b", "c"]
    """
    return list(value) if isinstance(value, dict) else list(range(len(value)))


def _values_type(given: Sequence[t.Type]) -> t.Type:
    value = given[0]
    if value.name == "list":
        return value
    if not value.fields or value.open:
        return t.LIST
    held = list(value.fields.values())
    made = held[0]
    for other in held[1:]:
        made = t.join(made, other)
    return t.list_of(made)


@filter("object", result=_values_type)
def values(value: Gathered) -> list[object]:
    """The values of an object in a list.

    >>> {a: 1, b: 2, c: 3} | values
    [1, 2, 3]
    """
    return list(value.values()) if isinstance(value, dict) else list(value)


@filter("object", result=lambda _given: t.list_of(t.object_of({"key": t.ANY, "value": t.ANY})))
def entries(budget: Budget, value: Gathered) -> list[object]:
    """The entries of an object as a list of objects with `key` and `value`.

    >>> {a: 1, b: 2} | entries
    [{key: "a", value: 1}, {key: "b", value: 2}]
    """
    budget.room(3 * ENTRY * len(value))
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return [{"key": key, "value": entry} for key, entry in pairs]


@filter("object")
def pick(value: dict[str, object], keys: list[str]) -> dict[str, object]:
    """The object with some of its keys only.

    >>> {a: 1, b: 2, c: 3} | pick(["a", "c"])
    {a: 1, c: 3}
    """
    return {key: value[key] for key in keys if key in value}


@filter("object")
def unpick(value: dict[str, object], keys: list[str]) -> dict[str, object]:
    """The object without some of its keys.

    >>> {a: 1, b: 2, c: 3} | unpick(["a", "c"])
    {b: 2}
    """
    left_out = set(keys)
    return {key: entry for key, entry in value.items() if key not in left_out}


@filter("object")
def create_object(value: list[str | int], values: list[object]) -> dict[str, object]:
    """An object made of a list of keys and a list of values.

    >>> ["a", "b", "c"] | create_object([1, 2, 3])
    {a: 1, b: 2, c: 3}
    """
    if len(value) != len(values):
        raise Refusal(f"expected as many values as keys, got {len(values)} for {len(value)}")
    return dict(zip(map(key_text, value), values, strict=True))


@filter("object")
def create_object_from_entries(value: list[dict[str, object]]) -> dict[str, object]:
    """An object made of a list of objects with `key` and `value`: what `entries` takes apart.

    >>> [{key: "a", value: 1}, {key: "b", value: 2}] | create_object_from_entries
    {a: 1, b: 2}
    """
    made: dict[str, object] = {}
    for entry in value:
        key: Any = entry.get("key")
        if key is None or isinstance(key, list | dict):
            raise Refusal(f"expected text as the key of an entry, got {show(key)}")
        made[key_text(key)] = entry.get("value")
    return made


def _first_of(fits: Callable[[object], bool], candidates: Sequence[object]) -> object:
    return next((candidate for candidate in candidates if fits(candidate)), None)


@filter("object", result=_choice)
def first_notnull(value: object, *others: object) -> object:
    """The first of the piped value and the arguments that is not null; null when all are.

    >>> null | first_notnull(null, 0)
    0
    """
    return _first_of(lambda candidate: candidate is not None, (value, *others))


@filter("object", result=_choice)
def first_notempty(value: object, *others: object) -> object:
    """The first of the piped value and the arguments that is not empty; the last one when all are.

    >>> "" | first_notempty(0, 1)
    1
    """
    candidates = (value, *others)
    found = _first_of(lambda candidate: not empty(candidate), candidates)
    return candidates[-1] if found is None else found
