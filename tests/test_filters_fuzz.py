"""Whatever is piped into a filter: it answers with a plain value or a Problem, and soon."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackyard.core.errors import Problem
from stackyard.core.filter import Budget, Filter, FilterParameter, filters
from stackyard.core.jsonout import encode

SECONDS = 3.0
# These hand on one of the numbers they are given.
CHOOSE = {"min", "max", "array_min", "array_max"}
PLAIN = {type(None), bool, int, float, Decimal, str, datetime, list, dict}

# Texts that mean something to some filter, or come close.
WORDS = r"""
0|1|-1|a.b.c|a.0|id|UTC|Europe/Berlin|Y-m-d|H:i:s|D, d M Y|+1 day|next friday|2026-01-23T10:00:00Z|ff|1e400|İ|[a|*|;|"
first day of next month|%s %05.2f|%'x10d|a,b|{"a":[1]}|a: [1]|<a b='1'>x</a>|(a+)(b)?|$1 $$|12.5 kg|aGVsbG8=|[::1|natural
https://u:p@example.com:80/a?b=1&c=2#d|+999999999 years|number|éé|last monday of march 2026|1:75 pm|<!--|a=1&a=2|\d+
"""
TEXTS = st.text(max_size=20) | st.sampled_from(
    [*WORDS.replace("\n", "|").split("|"), "\ud800", "\0", "a,b\n1,2", "9" * 70, "*" * 1100]
)
NUMBERS = (
    st.integers(-3, 40)
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        [0, 0.0, -0.0, 2.0, 1e300, 5e-324, Decimal("0.1"), Decimal("1E+300"), Decimal("-0"), 2**63, 10**30]
    )
)
MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31, 23, 59), timezones=st.just(UTC)
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS | MOMENTS
KEYS = st.sampled_from(["a", "b", "id", "key", "value", "a.b", ""]) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def nested(depth: int) -> list[Any]:
    """A list in a list in a list …"""
    made: list[Any] = []
    for _ in range(depth):
        made = [made]
    return made


def doubled(times: int) -> list[Any]:
    """A small value that refers to its parts so often that written out it would never end."""
    made: list[Any] = [1]
    for _ in range(times):
        made = [made, made]
    return made


# By name, because a failing test writes down what it drew.
MONSTERS: dict[str, Any] = {
    "deep": nested(90),
    "deeper": nested(150),
    "abyss": nested(5000),
    "doubled": doubled(60),
    "wide": ["x"] * 50_000,
    "long": "ab" * 500_000,
}


@dataclass(frozen=True)
class Monster:
    """Stands for a value too large to be written down."""

    name: str


LAMBDAS = st.sampled_from(
    [
        lambda *values: values[0],
        lambda *values: values[-1],
        lambda *_values: True,
        lambda *_values: None,
        lambda *values: [values[0], values[0]],
    ]
)
BY_TYPE = {
    "bool": st.booleans(),
    "int": st.integers(-5, 50) | NUMBERS,
    "float": NUMBERS,
    "decimal": NUMBERS,
    "text": TEXTS,
    "timestamp": MOMENTS,
    "list": st.lists(NUMBERS, max_size=5) | st.lists(TEXTS, max_size=5) | st.lists(VALUES, max_size=5),
    "object": st.dictionaries(KEYS, VALUES, max_size=4),
}


def argument(parameter: FilterParameter) -> st.SearchStrategy[Any]:
    """Mostly what the parameter is for, sometimes anything."""
    fitting = BY_TYPE.get(parameter.type.name, VALUES)
    if parameter.is_lambda:
        return LAMBDAS | LAMBDAS | fitting
    return fitting | fitting | fitting | VALUES | st.sampled_from(sorted(MONSTERS)).map(Monster)


def is_plain(value: Any) -> bool:
    """Whether a value is one of ours all through; a part that is there many times is looked at once."""
    seen: set[int] = set()
    open_values = [value]
    while open_values:
        entry = open_values.pop()
        if type(entry) not in PLAIN or (isinstance(entry, float) and not math.isfinite(entry)):
            return False
        if isinstance(entry, list | dict) and id(entry) not in seen:
            seen.add(id(entry))
            open_values += entry if isinstance(entry, list) else [*entry, *entry.values()]
    return True


@pytest.mark.parametrize(
    "entry",
    [pytest.param(entry, id=name) for name, entry in sorted(filters().items()) if entry.family != "lambda"],
)
@settings(max_examples=settings().max_examples // 5)
@given(data=st.data())
def test_only_a_plain_value_or_a_problem_comes_out(entry: Filter, data: st.DataObject) -> None:
    least, _most = entry.arity()
    length = data.draw(st.integers(least, len(entry.parameters)), "arguments")
    parameters = [FilterParameter("value", entry.value, True), *entry.parameters[:length]]
    drawn = [data.draw(argument(parameter), parameter.name) for parameter in parameters]
    arguments = [MONSTERS[value.name] if isinstance(value, Monster) else value for value in drawn]
    began = time.perf_counter()
    result = outcome(entry, arguments)
    assert time.perf_counter() - began < SECONDS
    if isinstance(result, Problem):
        assert result.code in {"EXPRESSION_FAILED", "BUDGET_EXCEEDED"}
        assert result.status == 422
        assert len(result.message) < 1000
        return
    assert is_plain(result)
    if entry.family == "math" and isinstance(result, int) and entry.name not in CHOOSE:
        assert -(2**63) <= result < 2**63
    if not isinstance(result, list | dict):
        encode(result)


def outcome(entry: Filter, arguments: list[Any]) -> Any:
    """What a filter gives, the Problem it raises included; any other error is the test's."""
    budget = [Budget()] if entry.takes_budget else []
    try:
        return entry.checked(*budget, *arguments)
    except Problem as problem:
        return problem
