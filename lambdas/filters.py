"""Filters that take code: what `map`, `filter` and their like do, in JavaScript, with one crossing for a whole list.

The code sees `item` (`$this`), `index` (`$index`), `items` (`$parent`) and, in lambda_reduce, `result` (`$result`).
"""

from __future__ import annotations

from stackyard.core.filter import Budget, element, filter
from stackyard.core.types import BOOL, INT, list_of

from .code import DEFAULT_SECONDS, LONGEST_SECONDS, apply_to_list


def _seconds(timeout: float) -> float:
    return min(max(float(timeout), 0.05), LONGEST_SECONDS)


@filter("lambda")
def lambda_map(budget: Budget, value: list, code: str, timeout: float = DEFAULT_SECONDS) -> list:  # type: ignore[type-arg]
    """What the code returns for each item, as a list.

    >>> [1, 2, 3] | lambda_map("return item * 2")
    [2, 4, 6]
    """
    budget.spend(len(value))
    return apply_to_list("map", value, code, seconds=_seconds(timeout))  # type: ignore[no-any-return]


@filter("lambda", result=lambda given: list_of(element(given)))
def lambda_filter(budget: Budget, value: list, code: str, timeout: float = DEFAULT_SECONDS) -> list:  # type: ignore[type-arg]
    """The items for which the code returns something true.

    >>> [1, 2, 3] | lambda_filter("return item > 1")
    [2, 3]
    """
    budget.spend(len(value))
    return apply_to_list("filter", value, code, seconds=_seconds(timeout))  # type: ignore[no-any-return]


@filter("lambda", result=lambda given: BOOL)
def lambda_some(budget: Budget, value: list, code: str, timeout: float = DEFAULT_SECONDS) -> bool:  # type: ignore[type-arg]
    """Whether the code returns something true for at least one item.

    >>> [1, 2, 3] | lambda_some("return item > 2")
    true
    """
    budget.spend(len(value))
    return bool(apply_to_list("some", value, code, seconds=_seconds(timeout)))


@filter("lambda", result=lambda given: BOOL)
def lambda_every(budget: Budget, value: list, code: str, timeout: float = DEFAULT_SECONDS) -> bool:  # type: ignore[type-arg]
    """Whether the code returns something true for every item.

    >>> [1, 2, 3] | lambda_every("return item > 2")
    false
    """
    budget.spend(len(value))
    return bool(apply_to_list("every", value, code, seconds=_seconds(timeout)))


@filter("lambda", result=lambda given: element(given).or_null())
def lambda_find(budget: Budget, value: list, code: str, timeout: float = DEFAULT_SECONDS) -> object:  # type: ignore[type-arg]
    """The first item for which the code returns something true; null when there is none.

    >>> [1, 2, 3] | lambda_find("return item > 1")
    2
    """
    budget.spend(len(value))
    return apply_to_list("find", value, code, seconds=_seconds(timeout))


@filter("lambda", result=lambda given: INT.or_null())
def lambda_findIndex(
    budget: Budget,
    value: list,  # type: ignore[type-arg]
    code: str,
    timeout: float = DEFAULT_SECONDS,
) -> int | None:
    """The place of the first item for which the code returns something true; null when there is none.

    >>> ["a", "b"] | lambda_findIndex("return item === 'b'")
    1
    """
    budget.spend(len(value))
    found = apply_to_list("find_index", value, code, seconds=_seconds(timeout))
    return None if found == -1 else found


@filter("lambda")
def lambda_reduce(
    budget: Budget,
    value: list,  # type: ignore[type-arg]
    initial: object,
    code: str,
    timeout: float = DEFAULT_SECONDS,
) -> object:
    """One value made of all items: the code returns the next `result`, beginning with the initial one.

    >>> [1, 2, 3] | lambda_reduce(0, "return result + item")
    6
    """
    budget.spend(len(value))
    return apply_to_list("reduce", value, code, initial=initial, seconds=_seconds(timeout))


@filter("lambda")
def lambda_(budget: Budget, value: object, code: str, timeout: float = DEFAULT_SECONDS) -> object:
    """What the code returns for the one value, which it sees as `item`.

    >>> {a: 1} | lambda("return item.a + 1")
    2
    """
    budget.spend(1)
    return apply_to_list("map", [value], code, seconds=_seconds(timeout))[0]
