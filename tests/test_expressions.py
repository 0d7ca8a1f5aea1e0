"""The expression language through its public face: parse, render, evaluate."""

from __future__ import annotations

import math
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackyard.core.errors import Problem
from stackyard.core.expressions import ExpressionError, evaluate, evaluate_text, parse, render
from stackyard.core.expressions.tree import (
    Access,
    Binary,
    Choice,
    Lambda,
    ListOf,
    Literal,
    MapOf,
    Name,
    Pipe,
    Tree,
    Unary,
)
from stackyard.core.jsonout import encode

from .expression_oracle import walk

FUZZ = os.environ.get("STACKYARD_FUZZ") == "1"
NOON = datetime(2026, 1, 23, 12, tzinfo=UTC)
NAMES: dict[str, Any] = {
    "a": 7,
    "b": {"x": [1, 2.5, {"y": "deep"}], "none": None, "t": NOON},
    "c": "text",
    "d": Decimal("12.50"),
    "e": [],
    "f": None,
    "g": True,
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 / 2", 3.5),
        ("-7 % 3", 2),
        ("7 % -3", -2),
        ("d % -5", Decimal("-2.50")),
        ('"n: " ~ 1 ~ null ~ true', "n: 1true"),
        ('"t " ~ b.t', "t 2026-01-23T12:00:00.000Z"),
        ("b.x[0]", 1),
        ("b.x[-1].y", "deep"),
        ("b.x[9].y.z", None),
        ('b["none"].anything', None),
        ("$a + $b.x[0]", 8),
        ("f ?? e ?? 1", []),
        ("f.g ?? 1", 1),
        ("1 == 1.0", True),
        ("1 == true", False),
        ('[1, {k: "v"}] == [1, {k: "v"}]', True),
        ("d == 12.5", True),
        ('"10" == 10', False),
        ("not 1 == 2", True),
        ("!false && !false", True),
        ("false || true and false", False),
        ("1 < 2 ? 1 < 0 ? 1 : 2 : 3", 2),
        ("2 in [1, 2]", True),
        ('"x" in b', True),
        ('"ex" in c', True),
        ("1 in null", False),
        ("a - -a", 14),
        ("d + 1", Decimal("13.50")),
        ("d + 0.5", 13.0),
        ("b.t - b.t", 0),
        ("(b.t + 1000) - b.t", 1000),
        ("b.t < b.t + 1", True),
        ('{a: 1, "b c": [2]}["b c"][0]', 2),
        ('"a\\n\\u00e9\\ud83d\\ude00"', "a\né😀"),
        ("'single'", "single"),
    ],
)
def test_an_expression_gives_its_value(source: str, value: Any) -> None:
    made = evaluate_text(source, NAMES)
    assert made == value
    assert type(made) is type(value)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('1 + "a"', "a whole number and a text"),
        ("c + 1", "a text and a whole number"),
        ("f + 1", "null and a whole number"),
        ("1 < c", "a whole number and a text"),
        ("a ? 1 : 2", "true or false"),
        ("g + 1", "true or false"),
        ("1 / 0", "Division by zero"),
        ("d / 0", "Division by zero"),
        ("9223372036854775807 + 1", "64 bits"),
        ("1e308 * 10", "too large"),
        ("a.b", "nothing inside"),
        ("e.b", "A list has no key"),
        ("-c", "a text"),
    ],
)
def test_values_that_do_not_fit_are_a_problem_that_names_them(source: str, words: str) -> None:
    with pytest.raises(Problem) as caught:
        evaluate_text(source, NAMES)
    assert words in caught.value.message
    assert caught.value.status == 422


@pytest.mark.parametrize(
    ("source", "column", "words"),
    [
        ("", 1, "empty"),
        ("1 +", 4, "Expected a value, found the end"),
        ("a = 1", 3, "=="),
        ("a & b", 3, "and"),
        ('"open', 1, "not closed"),
        ("a b", 3, "operator"),
        ("1 < 2 < 3", 7, "do not chain"),
        ("upper(a)", 1, "filters"),
        ("[1, 2", 6, "close the list"),
        ("{a: 1, a: 2}", 8, "twice"),
        ("a.1", 3, "After"),
        ('"\\q"', 2, "escape"),
        ('"\\ud800"', 1, "surrogate"),
        ("99999999999999999999", 1, "2^63"),
        ("a | 1", 5, "filter"),
        ("1e999", 1, "too large"),
        ("a # b", 3, "no meaning"),
        ("__import__('os')", 1, "filters"),
    ],
)
def test_a_text_that_is_no_expression_says_where(source: str, column: int, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(source)
    assert words in caught.value.message
    assert caught.value.column == column


@pytest.mark.parametrize(
    "source", ["(" * 5000 + "1", "-" * 5000 + "1", "a" + ".b" * 5000, "not " * 3000 + "true", "[" * 3000]
)
def test_deep_texts_are_refused_and_do_not_overflow(source: str) -> None:
    with pytest.raises(ExpressionError):
        parse(source)


@pytest.mark.parametrize(
    "source", ["a.__class__", 'a["__class__"]', "b.__class__.__mro__", "c.format", "e.append"]
)
def test_python_cannot_be_reached_through_a_value(source: str) -> None:
    kind, _ = _outcome(lambda: evaluate_text(source, NAMES))
    assert kind == "problem" or evaluate_text(source, NAMES) is None


_literals = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
).map(Literal)
_keys = st.one_of(
    st.sampled_from(["x", "y", "none", "b c", "not", "0"]).map(Literal), st.integers(-3, 3).map(Literal)
)
_FILTERS = ("is_empty", "first", "last", "count", "to_text", "is_null", "reverse")
_LAMBDA_FILTERS = ("map", "filter", "some", "every", "find")


def _grow(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    operators = st.sampled_from(
        ["+", "-", "*", "/", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "and", "or", "??"]
    )
    return st.one_of(
        st.builds(Access, inner, _keys),
        st.builds(Unary, st.sampled_from(["-", "not"]), inner),
        st.builds(Binary, operators, inner, inner),
        st.builds(Choice, inner, inner, inner),
        st.lists(inner, max_size=3).map(tuple).map(ListOf),
        st.dictionaries(st.sampled_from(["p", "q", "r s"]), inner, max_size=3).map(
            lambda d: MapOf(tuple(d.items()))
        ),
        st.builds(Pipe, inner, st.sampled_from(_FILTERS), st.just(())),
        st.builds(
            lambda value, name, body: Pipe(value, name, (Lambda(("o", "i"), body),)),
            inner,
            st.sampled_from(_LAMBDA_FILTERS),
            st.one_of(inner, st.sampled_from(["o", "i"]).map(Name)),
        ),
    )


trees = st.recursive(st.one_of(_literals, st.sampled_from(list(NAMES)).map(Name)), _grow, max_leaves=12)


@settings(max_examples=3000 if FUZZ else 250, deadline=None)
@given(trees)
def test_what_is_rendered_reads_back_the_same(tree: Tree) -> None:
    text = render(tree)
    read = parse(text)
    assert render(read) == text
    assert read == tree or "-" in text


def _outcome(run: Any) -> tuple[str, Any]:
    try:
        value = run()
    except Problem as problem:
        return "problem", problem.message
    return "value", encode(value) if not isinstance(value, float) or math.isfinite(value) else repr(value)


@settings(max_examples=5000 if FUZZ else 400, deadline=None)
@given(trees)
def test_the_compiler_agrees_with_the_oracle(tree: Tree) -> None:
    assert _outcome(lambda: evaluate(tree, NAMES)) == _outcome(lambda: walk(tree, NAMES))


@pytest.mark.parametrize(
    "source",
    [
        "[1, 2, 3] | filter(n => n > 1) | map(n => n * 2)",
        "[[1, 2], [3]] | map(l => l | filter(n => n > 1) | map((n, i) => [n, i, l]))",
        '["a", "b"] | filter((o, i) => i == 1)',
        "[1] | filter(n => n)",
        "[true, false] | filter(n => n)",
        "[true, null] | filter(n => n)",
        "[1, null] | map(n => n + 1)",
        "[{v: [1]}, {v: null}] | filter(o => o.v | is_empty) | map(o => o.v ?? 7)",
        "[1, 2] | reduce((sum, n) => sum + ([n] | map(x => x + n) | sum), 0)",
        "[3] | map(input => input * 2)",
        "null | map(n => n)",
        '"abc" | filter(n => true)',
        "{a: 1} | map(n => n)",
        "[[]] | map(n => n | map(m => m | filter(k => k.a > 1)))",
    ],
)
def test_a_lambda_compiled_in_place_does_what_the_filter_does(source: str) -> None:
    tree = parse(source)
    assert _outcome(lambda: evaluate(tree, NAMES)) == _outcome(lambda: walk(tree, NAMES))


def test_a_lambda_compiled_in_place_pays_for_its_turns() -> None:
    source = "0 | range(999) | map(a => 0 | range(999) | map(b => b))"
    kind, message = _outcome(lambda: evaluate_text(source, NAMES))
    assert (kind, "100,000 steps" in message) == ("problem", True)


@settings(max_examples=2000 if FUZZ else 200, deadline=None)
@given(st.text(st.sampled_from(list("ab1.\"'[](){}|+-*/%~=<>!?:,&$ \\ne\0")), max_size=30))
def test_any_text_is_an_expression_or_an_error_with_a_column(text: str) -> None:
    column, tree = _read(text)
    if tree is None:
        assert 1 <= column <= len(text) + 1
    else:
        assert parse(render(tree)) == parse(render(parse(render(tree))))


def _read(text: str) -> tuple[int, Tree | None]:
    try:
        return 0, parse(text)
    except ExpressionError as error:
        return error.column, None


def test_a_timestamp_moves_within_its_range() -> None:
    with pytest.raises(Problem):
        evaluate_text("b.t + 9000000000000000", NAMES)
    assert evaluate_text("b.t + 1", NAMES) == NOON + timedelta(milliseconds=1)


def test_values_of_doubled_references_compare_quickly() -> None:
    def doubled() -> Any:
        value: Any = [1]
        for _ in range(60):
            value = [value, value]
        return value

    assert evaluate_text("x == y", {"x": doubled(), "y": doubled()}) is True
    assert evaluate_text("x == y", {"x": doubled(), "y": [doubled(), 1]}) is False
