"""Aggregates and joins: the same answers as plain Python's, on both databases."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stackyard.core.errors import Problem
from stackyard.tables.query import Query
from tests.shop_orders import NOON, ask, shop

pytestmark = pytest.mark.django_db


def test_sums_are_exact_and_nothing_is_counted_twice() -> None:
    everything = {
        "n": "count", "tagged": {"count": "tags"}, "buyers": {"count_distinct": "customer"},
        "sum": {"sum": "total"}, "mean": {"avg": "total"}, "pieces": {"sum": "count"}, "each": {"avg": "count"},
        "weight": {"sum": "weight"}, "least": {"min": "total"}, "most": {"max": "count"}, "last": {"max": "at"},
        "day": {"min": "day"}, "code": {"max": "code"}, "note": {"min": "note"},
    }  # fmt: skip
    store = shop()
    found = ask(store, aggregate=everything)
    pieces = 2 + 1 + 3 * 2**62 - 7
    assert found == {
        "n": 6, "tagged": 1, "buyers": 2, "sum": Decimal("20000000000000010.27"),
        "mean": Decimal("4000000000000002.054"), "pieces": pieces, "each": pieces / 6,
        "weight": 0.1 + 0.2 - 5.551115123125783e-17, "least": Decimal("-0.01"), "most": 2**62,
        "last": NOON + timedelta(days=4), "day": "0001-01-01", "code": "ffffffff-ffff-ffff-ffff-ffffffffffff", "note": "x",
    }  # fmt: skip
    assert (type(found["sum"]), type(found["mean"])) == (Decimal, Decimal)
    nothing = ask(store, aggregate=everything, where={"id": 0})
    assert {k: v for k, v in nothing.items() if v is not None} == {
        "n": 0, "tagged": 0, "buyers": 0, "sum": Decimal("0.00"), "pieces": 0, "weight": 0.0,
    }  # fmt: skip


def test_groups_come_in_their_order_or_the_one_asked_for_and_in_pages() -> None:
    store = shop()
    groups = {
        "group_by": "status",
        "aggregate": {"n": "count", "sum": {"sum": "total"}, "mean": {"avg": "count"}},
    }
    assert [(g["status"], g["n"]) for g in ask(store, **groups)] == [(None, 2), ("open", 1), ("paid", 3)]
    assert [g["status"] for g in ask(store, sort="-sum", **groups)] == ["paid", "open", None]
    assert [g["status"] for g in ask(store, sort=["mean", "status"], **groups)] == ["open", None, "paid"]
    page = ask(store, sort="-n", page=1, per_page=2, totals=True, **groups)
    assert ([g["n"] for g in page["items"]], page["itemsTotal"], page["nextPage"]) == ([3, 2], 3, 2)
    assert ask(store, group_by=["is_gift", "customer"], return_="aggregate", where={"customer": 2}) == [
        {"is_gift": None, "customer": 2},
        {"is_gift": True, "customer": 2},
    ]


def test_periods_are_those_of_a_time_zone() -> None:
    store = shop([])
    berlin = ZoneInfo("Europe/Berlin")
    # Around both changes of the clocks, the new year, and far from now.
    moments = [
        NOON.replace(hour=0) + timedelta(minutes=30 * n) for n in range(6)
    ] + [datetime(2025, 10, 26, 0, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(5)] + [
        datetime(2025, 12, 31, 22, 59, 59, 999000, tzinfo=UTC), datetime(2025, 12, 31, 23, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 1000, tzinfo=UTC), datetime(9000, 1, 1, 0, 0, 0, 1000, tzinfo=UTC),
    ]  # fmt: skip
    store.add_many("orders", [{"at": moment, "day": moment.date()} for moment in moments])
    model = {
        "year": lambda d: d.date().replace(month=1, day=1).isoformat(),
        "quarter": lambda d: d.date().replace(month=(d.month - 1) // 3 * 3 + 1, day=1).isoformat(),
        "month": lambda d: d.date().replace(day=1).isoformat(),
        "week": lambda d: (d.date() - timedelta(days=d.weekday())).isoformat(),
        "day": lambda d: d.date().isoformat(),
        "hour": lambda d: d.astimezone(UTC).replace(minute=0, second=0, microsecond=0),
        "month_of_year": lambda d: d.month,
        "day_of_month": lambda d: d.day,
        "day_of_week": lambda d: d.isoweekday() % 7,
        "hour_of_day": lambda d: d.hour,
        "minute_of_hour": lambda d: d.minute,
    }  # fmt: skip
    for part, of in model.items():
        wanted: dict[Any, int] = defaultdict(int)
        for moment in moments:
            wanted[of(moment.astimezone(berlin))] += 1
        group = {"field": "at", "part": part, "time_zone": "Europe/Berlin", "as": "period"}
        found = ask(store, group_by=[group], aggregate={"n": "count"})
        assert [(g["period"], g["n"]) for g in found] == sorted(wanted.items()), part
        if not part.startswith(("hour", "minute")):
            days = ask(store, group_by=[{"field": "day", "part": part}])
            assert len(days) == len({of(datetime.combine(m.date(), m.time())) for m in moments}), part


def test_a_join_meets_its_records() -> None:
    store = shop()
    join = [{"table": "customers", "as": "buyer", "match": {"id": "customer"}}]
    found = ask(store, join=join, fields=["id", "buyer.name"], sort=["-buyer.name", "id"])
    assert [(r["id"], r["buyer"]) for r in found] == [
        *((n, {"name": "Bob"}) for n in (3, 4, 6)), *((n, {"name": "Ann"}) for n in (1, 2)), (5, None),
    ]  # fmt: skip
    inner = [{**join[0], "type": "inner"}]
    assert ask(store, join=inner, return_="count") == 5
    assert (
        ask(store, join=inner, where={"buyer.email": {"$starts_with": "ANN"}, "total": {"$lt": 5}})[0]["id"]
        == 2
    )
    whole = ask(store, join=join, fields=["id", "buyer"], return_="single")
    assert set(whole["buyer"]) == {"id", "created_at", "name", "email"}
    assert "buyer" not in ask(store, join=join, return_="single")
    page = ask(store, join=inner, page=2, per_page=2, totals=True, sort="-buyer.name", fields=["buyer"])
    assert (page["itemsTotal"], [r["buyer"]["name"] for r in page["items"]]) == (5, ["Bob", "Ann"])
    groups = ask(store, join=inner, group_by=["buyer.name"], aggregate={"n": "count"}, sort="-n")
    assert groups == [{"buyer_name": "Bob", "n": 3}, {"buyer_name": "Ann", "n": 2}]
    with store.transaction():
        assert len(ask(store, join=join, fields=["buyer.name"], lock=True)) == 6


def test_a_join_that_multiplies_is_paged_without_loss() -> None:
    store = shop()
    query = {
        "join": [{"table": "orders", "as": "o", "match": {"customer": "id"}}], "fields": ["id", "o.id"],
        "sort": ["-name"], "per_page": 2,
    }  # fmt: skip
    seen, cursor = [], ""
    while cursor is not None:
        page = store.query(Query("customers", cursor=cursor, **query))
        seen += [(r["id"], r["o"] and r["o"]["id"]) for r in page["items"]]
        cursor = page["nextCursor"]
    assert seen == [(3, None), (2, 6), (2, 4), (2, 3), (1, 2), (1, 1)]


FAULTS: list[tuple[dict[str, Any], list[str]]] = [
    ({"aggregate": {"n": {"summ": "total"}}}, ["aggregate.n"]),
    ({"aggregate": {"n": {"sum": "totl"}}}, ["aggregate.n.sum"]),
    ({"aggregate": {"n": {"sum": "note"}, "m": {"avg": "customer"}}}, ["aggregate.n.sum", "aggregate.m.avg"]),
    ({"aggregate": {"n": {"min": "is_gift"}, "1x": "count"}}, ["aggregate.n.min", "aggregate.1x.as"]),
    ({"aggregate": {"n": {"count_distinct": "tags"}}}, ["aggregate.n.count_distinct"]),
    ({"aggregate": {"n": "total"}, "fields": ["id"]}, ["fields", "aggregate.n"]),
    ({"aggregate": {"n": "count"}, "sort": "n"}, ["sort"]),
    ({"aggregate": {"n": "count"}, "group_by": "status", "sort": "total"}, ["sort.0"]),
    ({"aggregate": {"n": "count"}, "group_by": "status", "cursor": ""}, ["cursor"]),
    ({"aggregate": {"n": "count"}, "return_": "single"}, ["return"]),
    ({"return_": "aggregate"}, ["aggregate"]),
    ({"group_by": [{"field": "at", "part": "mont"}]}, ["group_by.0.part"]),
    ({"group_by": [{"field": "day", "part": "hour"}]}, ["group_by.0.part"]),
    ({"group_by": [{"field": "at", "part": "day", "time_zone": "Europe/Berln"}]}, ["group_by.0.time_zone"]),
    ({"group_by": ["status", "status"]}, ["group_by.1"]),
    ({"group_by": [{"field": "status", "by": 1}]}, ["group_by.0.by"]),
    ({"group_by": "tags"}, ["group_by.0"]),
    ({"join": [{"table": "custmers", "match": {"id": "customer"}}]}, ["join.0.table"]),
    ({"join": [{"table": "customers"}]}, ["join.0.match"]),
    ({"join": [{"table": "customers", "match": {"name": "customer"}}]}, ["join.0.match.name"]),
    ({"join": [{"table": "customers", "as": "total", "match": {"id": "customer"}}]}, ["join.0.as"]),
    ({"join": [{"table": "customers", "match": {"id": "customer"}, "type": "outer"}]}, ["join.0.type"]),
    ({"join": {"table": "customers"}}, ["join"]),
    ({"computed": {"x": "totl + 1"}}, ["computed.x"]),
    ({"computed": {"x": "total +"}}, ["computed.x"]),
    ({"computed": {"x": "note + 1", "y": "is_gift < true", "total": "1"}}, ["computed.x", "computed.y", "computed.total"]),
    ({"computed": {"x": "tags", "y": "[1]", "z": "note | shout"}}, ["computed.x", "computed.y", "computed.z"]),
    ({"computed": {"x": "total ~ note", "y": "7 % (3 % 2)"}}, ["computed.x", "computed.y"]),
    ({"computed": {"x": " + ".join(["1"] * 40)}}, ["computed.x"]),
    ({"computed": {"x": 5}}, ["computed.x"]),
    ({"computed": ["x"]}, ["computed"]),
]  # fmt: skip


def test_what_cannot_be_asked_is_said_with_its_place() -> None:
    store = shop([])
    for parts, places in FAULTS:
        with pytest.raises(Problem) as caught:
            ask(store, **parts)
        assert caught.value.code == "INVALID_INPUT"
        assert list(dict.fromkeys(detail.field for detail in caught.value.details)) == places, parts


def test_what_a_caller_may_not_see_cannot_be_guessed() -> None:
    store = shop()
    join = [{"table": "customers", "as": "buyer", "match": {"id": "customer"}}]
    attempts: list[dict[str, Any]] = [
        {"join": join, "where": {"buyer.secret": {"$starts_with": "n"}}},
        {"join": join, "sort": ["buyer.secret"]},
        {"join": join, "fields": ["buyer.secret"]},
        {"join": join, "group_by": ["buyer.secret"]},
        {"join": join, "aggregate": {"m": {"min": "buyer.secret"}}},
        {"join": join, "computed": {"x": "buyer.secret"}},
        {"join": [{"table": "customers", "as": "buyer", "match": {"secret": "note"}}]},
        {"addons": [{"table": "customers", "match": {"id": "customer"}, "fields": ["secret"]}]},
    ]
    for parts in attempts:
        with pytest.raises(Problem, match="no field"):
            ask(store, public_only=True, **parts)
    # An author may compute over what is private; it stays private then.
    assert "x" not in ask(store, join=join, computed={"x": "buyer.secret"}, return_="single")
    named = ask(store, join=join, computed={"x": "buyer.secret"}, fields=["x"], return_="single")
    assert named == {"x": "nnA"}
