"""Filters that answer true or false: comparisons, and what kind of value something is."""

from __future__ import annotations

import re
from decimal import Decimal

from ..expressions import operations as op
from ..filter import filter
from ..guards import Refusal, show

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


def empty(value: object) -> bool:
    """Whether a value is null, false, 0, "0", or a text, list or object without anything in it."""
    if isinstance(value, str):
        return value == "" or value == "0"
    if value is None or value is False:
        return True
    if isinstance(value, (list, dict)):
        return len(value) == 0
    return isinstance(value, (int, float, Decimal)) and value == 0


@filter("comparison")
def equals(value: object, other: object) -> bool:
    """Whether two values are equal, as `==` sees it.

    >>> 4 | equals(4)
    true
    >>> "4" | equals(4)
    false
    """
    return op.equal(value, other)


@filter("comparison")
def not_equals(value: object, other: object) -> bool:
    """Whether two values differ, as `!=` sees it.

    >>> 4 | not_equals(4)
    false
    """
    return not op.equal(value, other)


@filter("comparison")
def greater_than(value: object, other: object) -> bool:
    """Whether the piped number, text or timestamp is greater than the argument.

    >>> 4 | greater_than(2)
    true
    """
    return op.greater(value, other)


@filter("comparison")
def greater_than_or_equal(value: object, other: object) -> bool:
    """Whether the piped number, text or timestamp is the argument or greater.

    >>> 4 | greater_than_or_equal(4)
    true
    """
    return op.greater_or_equal(value, other)


@filter("comparison")
def less_than(value: object, other: object) -> bool:
    """Whether the piped number, text or timestamp is less than the argument.

    >>> 4 | less_than(2)
    false
    """
    return op.less(value, other)


@filter("comparison")
def less_than_or_equal(value: object, other: object) -> bool:
    """Whether the piped number, text or timestamp is the argument or less.

    >>> 4 | less_than_or_equal(2)
    false
    """
    return op.less_or_equal(value, other)


@filter("comparison")
def odd(value: int) -> bool:
    """Whether a whole number is odd.

    >>> 3 | odd
    true
    """
    return value % 2 == 1


@filter("comparison")
def even(value: int) -> bool:
    """Whether a whole number is even.

    >>> 4 | even
    true
    """
    return value % 2 == 0


@filter("comparison")
def in_(value: object, options: list[object] | dict[str, object] | str | None) -> bool:
    """Whether the piped value is one of a list, a key of an object or a part of a text.

    >>> 3 | in([1, 2, 3])
    true
    >>> "d" | in("abc")
    false
    """
    if isinstance(options, str) and not isinstance(value, str):
        raise Refusal(f"expected text to look for in a text, got {show(value)}")
    return op.contained(value, options)


@filter("comparison")
def not_(value: bool) -> bool:
    """The opposite of true or false.

    >>> true | not
    false
    """
    return not value


@filter("comparison")
def is_null(value: object) -> bool:
    """Whether the value is null.

    >>> null | is_null
    true
    >>> 0 | is_null
    false
    """
    return value is None


@filter("comparison")
def is_empty(value: object) -> bool:
    """Whether the value is one of "", null, 0, "0", false, [] and {}.

    >>> [] | is_empty
    true
    >>> "0" | is_empty
    true
    >>> " " | is_empty
    false
    """
    return empty(value)


@filter("comparison")
def is_object(value: object) -> bool:
    """Whether the value is an object.

    >>> {id: 2} | is_object
    true
    """
    return isinstance(value, dict)


@filter("comparison")
def is_array(value: object) -> bool:
    """Whether the value is a list.

    >>> [1, 2, 3] | is_array
    true
    """
    return isinstance(value, list)


@filter("comparison")
def is_int(value: object) -> bool:
    """Whether the value is a whole number.

    >>> 123 | is_int
    true
    >>> 123.5 | is_int
    false
    """
    return isinstance(value, int) and not isinstance(value, bool)


@filter("comparison")
def is_decimal(value: object) -> bool:
    """Whether the value is a number that may have a fraction: a decimal or a float.

    >>> 123.45 | is_decimal
    true
    """
    return isinstance(value, float | Decimal)


@filter("comparison")
def is_bool(value: object) -> bool:
    """Whether the value is true or false.

    >>> false | is_bool
    true
    """
    return isinstance(value, bool)


@filter("comparison")
def is_text(value: object) -> bool:
    """Whether the value is text.

    >>> "213" | is_text
    true
    """
    return isinstance(value, str)


@filter("comparison")
def is_uuid(value: object) -> bool:
    """Whether the value is text that spells a UUID.

    >>> "9b2f5c1e-7a44-4a53-9d0e-0c2a4f6b8d10" | is_uuid
    true
    >>> "9b2f5c1e" | is_uuid
    false
    """
    return isinstance(value, str) and _UUID.match(value) is not None
