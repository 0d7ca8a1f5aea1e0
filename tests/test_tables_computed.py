"""Computed fields: what exact arithmetic gives, on both databases."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackyard.core.expressions import evaluate_text
from stackyard.tables.query import Query
from stackyard.tables.store import Store
from tests.computed_model import worked_out
from tests.shop_orders import ORDERS, ask, shop

pytestmark = pytest.mark.django_db

EXPRESSIONS = [
    ("total * count", Decimal("20.20")),
    ("total * 1.19", Decimal("12.0190")),
    ("count / 4", 0.5),
    ("total / 3", Decimal("3.366667")),
    ("count % -5", -3),
    ("total % 3", Decimal("1.10")),
    ("1 / 0", None),
    ("count / (count - 2)", None),
    ("weight + 0.2", 0.3),
    ("weight * weight", 0.01),
    ("9223372036854775807 + count", None),
    ("-count | abs", 2),
    ("(total | floor) ~ '-' ~ count ~ note", "10-2"),
    ("total | round(1)", Decimal("10.1")),
    ("total | round", 10),
    ("total | ceil", 11),
    ("note ?? 'none'", "none"),
    ("note == null", True),
    ("note < 'a'", False),
    ("not is_gift", True),
    ("status == 'open' and total > 10", True),
    ("status in ['paid', 'open']", True),
    ("total > 10 ? 'dear' : 'cheap'", "dear"),
    ("'ÄSS ß' | to_lower", "äss ß"),
    ("'straße' | to_upper", "STRASSE"),
    ("'ä😀x' | strlen", 3),
    ("'ä😀x' | substr(1, 1)", "😀"),
    ("at | timestamp_hour('Europe/Berlin')", 14),
    ("at | timestamp_day_of_week", 0),
    ("(at - created_at) * 0", 0),
    ("day == '2026-03-29'", True),
    ("day ?? '2026-01-01'", "2026-03-29"),
    ("null", None),
    ("customer ?? 5", 1),
]


def test_a_computed_field_is_what_it_says() -> None:
    store = shop(ORDERS[:1])
    for source, value in EXPRESSIONS:
        found = ask(store, computed={"x": source}, fields=["x"], return_="single")["x"]
        assert (found, type(found)) == (value, type(value)), source


NUMBERS = st.one_of(
    st.none(), st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1), st.sampled_from([0, 10**17, -(10**9)])
)
MONEY = st.one_of(st.none(), st.decimals(-(10**15), 10**15, places=2), st.decimals(-10, 10, places=2))
DOUBLES = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False).map(lambda f: f or 0.0))
LEAVES = st.sampled_from(["count", "total", "weight", "3", "0.25", "(count ?? 1)", "(note | strlen)", "null"])
TREES = st.recursive(
    LEAVES,
    lambda below: st.one_of(
        st.tuples(below, st.sampled_from("+-*/"), below).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(below, st.sampled_from(["total", "7", "count"])).map(lambda p: f"({p[0]} % {p[1]})"),
        st.tuples(below, st.sampled_from(["abs", "floor", "ceil", "round(2)"])).map(
            lambda p: f"({p[0]} | {p[1]})"
        ),
        st.tuples(below, st.sampled_from(["<", "==", ">="]), below, below, below).map(
            lambda p: f"({p[0]} {p[1]} {p[2]} ? {p[3]} : {p[4]})"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(source=TREES, rows=st.lists(st.tuples(NUMBERS, MONEY, DOUBLES), min_size=1, max_size=4))
def test_computed_fields_are_what_exact_arithmetic_gives(
    arithmetic: Store, source: str, rows: list[tuple[Any, ...]]
) -> None:
    arithmetic.delete_many("orders", {})
    records = [{"count": n, "total": m, "weight": w, "note": "four"} for n, m, w in rows]
    arithmetic.add_many("orders", records)
    prepared = arithmetic.prepare(Query("orders", computed={"x": source}))
    found = [record["x"] for record in prepared.run(arithmetic)]
    assert found == [
        worked_out(source, record, prepared.type) for record in arithmetic.query(Query("orders"))
    ]


@pytest.fixture
def arithmetic() -> Store:
    return shop([])


def test_where_sort_and_groups_take_computed_fields() -> None:
    store = shop()
    computed = {"due": "total * count", "big": "total > 5"}
    assert [r["id"] for r in ask(store, computed=computed, where={"due": {"$gt": 1}})] == [1]
    assert [r["id"] for r in ask(store, computed={"half": "count / 2"}, sort=["-half", "id"])] == [
        3,
        4,
        6,
        1,
        2,
        5,
    ]
    groups = ask(store, computed=computed, group_by="big", aggregate={"n": "count", "due": {"sum": "due"}})
    assert [(g["big"], g["n"]) for g in groups] == [(False, 3), (True, 3)]
    seen, cursor = [], ""
    while cursor is not None:
        page = ask(store, computed=computed, sort=["big", "-due", "id"], cursor=cursor, per_page=2)
        seen += [(r["big"], r["due"]) for r in page["items"]]
        cursor = page["nextCursor"]
    whole = ask(store, computed=computed, sort=["big", "-due", "id"])
    assert seen == [(r["big"], r["due"]) for r in whole]


def test_a_computed_field_is_the_expression_of_a_stack_where_both_are_exact() -> None:
    store = shop(ORDERS[:2])
    sources = [
        "total * count",
        "total + count",
        "count * 3 - 1",
        "count % 2",
        "status ~ count",
        "total > 5",
        "-total",
    ]
    for source in sources:
        for record in ask(store, computed={"x": source}):
            assert record["x"] == evaluate_text(source, record), source
