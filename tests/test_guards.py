"""What stands before every filter: kinds of arguments, messages, the budget."""

from __future__ import annotations

from decimal import Decimal

import pytest

from stackyard.core.errors import Problem
from stackyard.core.filter import MOST_ARGUMENTS, Budget, filters
from stackyard.core.secrets import Secret
from tests.filtering import piped, refused


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("12 | to_upper", "to_upper: expected text, got 12"),
        ("null | to_upper", "to_upper: expected text, got null"),
        ("true | add(1)", "add: expected a number, got true"),
        ("1 | add(false)", "add: expected a number for other, got false"),
        ('"x" | even', 'even: expected a whole number, got "x"'),
        ("1.5 | even", "even: expected a whole number, got 1.5"),
        ("[1, 2] | even", "even: expected a whole number, got a list of 2"),
        ("{} | first", "first: expected a list, got an object"),
        ("[1, null] | sum", "sum: expected a list of numbers, got null at position 1"),
        ('{a: 1} | pick(["a", 2])', "pick: expected a list of texts for keys, got 2 at position 1"),
        ('"abc" | substr("x")', 'substr: expected a whole number for start, got "x"'),
        ("[1] | map(2)", "map: expected a function (x => …) for function, got 2"),
        ("now | to_lower", "to_lower: expected text, got a timestamp"),
        ("secret | to_lower", "to_lower: expected text, got a secret"),
        ("long | even", f'even: expected a whole number, got "{"x" * 40}…"'),
    ],
)
def test_a_wrong_kind_is_named_with_what_was_expected(source: str, message: str) -> None:
    moment = piped('"2026-01-23" | to_timestamp')
    problem = refused(source, now=moment, secret=Secret("hidden"), long="x" * 99)
    assert problem.code == "EXPRESSION_FAILED"
    assert problem.message == message


def test_a_null_comes_with_the_way_out() -> None:
    assert "??" in str(refused("null | to_upper").suggestion)
    assert "filter_null" in str(refused("[null] | sum").suggestion)


def test_a_whole_float_or_decimal_is_a_whole_number() -> None:
    assert piped('"abcdef" | substr(6 / 3)') == "cdef"
    assert piped("four | even", four=Decimal("4.0"))
    assert piped("[1.0, 2.0] | count") == 2


def test_a_lambda_is_no_value() -> None:
    with pytest.raises(Problem, match="got a function"):
        filters()["is_null"].checked(lambda value: value)


def test_a_repeating_parameter_takes_many_arguments() -> None:
    entry = filters()["sprintf"]
    assert entry.arity() == (0, MOST_ARGUMENTS)
    assert piped('"%d-%d-%d" | sprintf(1, 2, 3)') == "1-2-3"


def test_all_that_is_made_in_one_evaluation_counts_together() -> None:
    text = "x" * 1000
    assert len(piped("numbers | map(n => text | to_upper)", numbers=[0] * 1000, text=text)) == 1000
    problem = refused("numbers | map(n => text | to_upper)", numbers=[0] * 11_000, text=text)
    assert problem.code == "BUDGET_EXCEEDED"


@pytest.mark.parametrize(
    "source",
    [
        '"x" | fill(1000000000)',
        "1 | range(1000000000)",
        'long | replace("a", long)',
        "longs | join(long)",
        "long | concat(long) | concat(long) | concat(long) | concat(long)",
        '"%100000s" | fill(200) | join("") | sprintf(1)',
        'long | split("")',
        "doubled | flatten",
        "doubled | json_encode",
        "doubled | yaml_encode",
        "doubled | to_text",
        "[doubled] | unique",
        "[doubled] | csv_encode",
        'long | regex_replace("a", long)',
        "1 | number_format(30, long, long)",
    ],
)
def test_nothing_grows_past_the_budget(source: str) -> None:
    doubled = [1]
    for _ in range(60):
        doubled = [doubled, doubled]
    long = "a" * 3_000_000
    problem = refused(source, long=long, longs=[long] * 3, doubled=doubled)
    assert problem.code in {"BUDGET_EXCEEDED", "EXPRESSION_FAILED"}


def test_loops_cost_a_step_a_turn() -> None:
    rows = list(range(400))
    assert piped("rows | map(r => rows | some(n => n == 1)) | count", rows=rows) == 400
    problem = refused("rows | map(r => rows | map(n => n))", rows=rows)
    assert problem.code == "BUDGET_EXCEEDED"


def test_a_deep_value_is_refused_where_it_would_have_to_be_walked() -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    for source in (
        "[deep] | unique",
        "deep | json_encode",
        "deep | to_text",
        "{a: deep} | entries | csv_encode",
    ):
        assert refused(source, deep=deep)
    assert piped("deep | flatten", deep=deep) == []


def test_a_budget_given_by_the_runner_is_used() -> None:
    budget = Budget(steps=2)
    with pytest.raises(Problem, match="steps"):
        filters()["map"].checked(budget, [1, 2, 3], lambda value, place: value)
