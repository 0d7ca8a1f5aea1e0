"""Filters that put two lists or objects together, or take one from another."""

from __future__ import annotations

from typing import Any

from .. import types as t
from ..expressions import operations as op
from ..filter import Budget, filter, same
from ..guards import Refusal, show
from .paths import By, reader
from .values import DEEPEST, ENTRY, Gathered, key_of


def _alike(value: object, other: object) -> None:
    if isinstance(value, list) is not isinstance(other, list):
        raise Refusal(f"expected two lists or two objects, got {show(value)} and {show(other)}")


def _merged_type(given: Any) -> t.Type:
    if len(given) < 2 or given[0].name != given[1].name:
        return t.ANY
    first, second = given[0], given[1]
    if first.name == "list":
        return t.list_of(t.join(first.of or t.ANY, second.of or t.ANY))
    if first.name == "object" and first.fields is not None and second.fields is not None:
        return t.object_of({**first.fields, **second.fields}, open=first.open or second.open)
    return t.Type(first.name)


@filter("array", result=same)
def diff(budget: Budget, value: list[object], other: list[object]) -> list[object]:
    """The elements that the other list does not hold.

    >>> [1, 2, 3, 4] | diff([3, 2])
    [1, 4]
    """
    budget.room(16 * (len(value) + len(other)))
    known = {key_of(budget, entry) for entry in other}
    return [entry for entry in value if key_of(budget, entry) not in known]


@filter("array", result=same)
def intersect(budget: Budget, value: list[object], other: list[object]) -> list[object]:
    """The elements that the other list holds too.

    >>> [1, 2, 3, 4] | intersect([3, 2])
    [2, 3]
    """
    budget.room(16 * (len(value) + len(other)))
    known = {key_of(budget, entry) for entry in other}
    return [entry for entry in value if key_of(budget, entry) in known]


def _in_place(value: Gathered, other: Gathered, wanted: bool) -> Gathered:
    """What is (or is not) at the same key with the same value in the other."""
    _alike(value, other)
    if isinstance(value, dict) and isinstance(other, dict):
        return {k: v for k, v in value.items() if (k in other and op.equal(v, other[k])) is wanted}
    pairs: Any = enumerate(value)
    return [v for n, v in pairs if (n < len(other) and op.equal(v, other[n])) is wanted]


@filter("array", result=same)
def diff_assoc(value: Gathered, other: Gathered) -> Gathered:
    """The entries that the other object does not hold under the same key, or the other list at the same place.

    >>> {a: 1, b: 2} | diff_assoc({a: 1, b: 3})
    {b: 2}
    >>> ["green", "red"] | diff_assoc(["green", "yellow", "red"])
    ["red"]
    """
    return _in_place(value, other, False)


@filter("array", result=same)
def intersect_assoc(value: Gathered, other: Gathered) -> Gathered:
    """The entries that the other object holds under the same key too, or the other list at the same place.

    >>> {a: 1, b: 2} | intersect_assoc({a: 1, b: 3})
    {a: 1}
    """
    return _in_place(value, other, True)


@filter("array", result=_merged_type)
def merge(value: Gathered, other: Gathered) -> Gathered:
    """Two lists one after the other, or two objects in one, where the argument's entries win.

    >>> [1, 2] | merge(["a", "b"])
    [1, 2, "a", "b"]
    >>> {a: 1, b: 1} | merge({b: 2})
    {a: 1, b: 2}
    """
    _alike(value, other)
    return [*value, *other] if isinstance(value, list) else {**value, **other}  # type: ignore[dict-item]


@filter("array")
def merge_recursive(budget: Budget, value: Gathered, other: Gathered) -> Gathered:
    """The same at every level: lists one after the other, objects in one, of two other values the argument's.

    >>> {color: {favorite: ["red"], n: 1}} | merge_recursive({color: {favorite: ["green"], n: 2}})
    {color: {favorite: ["red", "green"], n: 2}}
    """
    _alike(value, other)
    return _merged(budget, value, other, 0)  # type: ignore[no-any-return]


def _merged(budget: Budget, value: Any, other: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise Refusal("the value is nested too deep")
    budget.spend(1)
    if isinstance(value, list) and isinstance(other, list):
        budget.room(8 * (len(value) + len(other)))
        return value + other
    if not isinstance(value, dict) or not isinstance(other, dict):
        return other
    budget.room(ENTRY * (len(value) + len(other)))
    made = dict(value)
    for key, entry in other.items():
        made[key] = _merged(budget, value[key], entry, depth + 1) if key in value else entry
    return made


@filter("array", result=same)
def remove(budget: Budget, value: list[object], element: object, by: By = None) -> list[object]:
    """The elements that do not equal a value, or in which a path or a function does not name it.

    >>> [{v: 1}, {v: 2}, {v: 3}] | remove({v: 2})
    [{v: 1}, {v: 3}]
    >>> [{v: 1, n: "a"}, {v: 2, n: "b"}] | remove(2, "v")
    [{v: 1, n: "a"}]
    """
    budget.spend(len(value))
    budget.room(8 * len(value))
    read = reader(by)
    return [entry for position, entry in enumerate(value) if not op.equal(read(entry, position), element)]
