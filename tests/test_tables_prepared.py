"""Queries that run: values at run time, pages, cursors; and whatever else is asked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackyard.core.errors import Problem
from stackyard.tables import changes
from stackyard.tables.query import Query, Slot
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db(databases=["default", "history"])


SPECS: dict[str, Any] = {
    "name": {"type": "text", "required": True},
    "price": "decimal",
    "count": "int",
    "tags": {"type": "list", "of": "text"},
    "parts": {"type": "list", "of": {"type": "object", "fields": {"n": "int"}}},
    "meta": "json",
    "address": {"type": "object", "fields": {"city": "text", "zip": "int"}},
    "active": "bool",
}


def make_store() -> Store:
    """Ten items."""
    workspace = make_workspace()
    changes.create_table(workspace, "items", fields=SPECS)
    store = Store(load_schema(workspace.pk))
    store.add_many("items", [{"name": f"n{n}", "count": n, "price": n} for n in range(10)])
    return store


def names(found: Any) -> list[str]:
    return [record["name"] for record in (found["items"] if isinstance(found, dict) else found)]


def problem_of(store: Store, query: Query, values: Any = ()) -> Problem:
    with pytest.raises(Problem) as caught:
        store.query(query, values)
    return caught.value


def test_values_come_at_run_time() -> None:
    store = make_store()
    where = {"count": {"$in": [Slot(0), 3]}, "price": {"$lt": Slot(1)}, "name": {"$ne": Slot(2)}}
    prepared = store.prepare(Query("items", where=where, sort=Slot(3), per_page=Slot(4)))
    assert names(prepared.run(store, [5, 9, "n3", "-count", 7])) == ["n5"]
    assert names(prepared.run(store, [5, 9, None, "-count,name", 7])) == ["n5", "n3"]
    assert names(prepared.run(store, [None, 9, None, None, None])) == ["n3"]
    with pytest.raises(Problem) as caught:
        prepared.run(store, [5, "x", 7, None, None])
    assert [(d.field, d.code) for d in caught.value.details] == [
        ("where.price.$lt", "type"),
        ("where.name.$ne", "type"),
    ]
    for values, field in (([1, 1, "", "oops", 1], "sort.0"), ([1, 1, "", "id", 0], "per_page")):
        with pytest.raises(Problem) as caught:
            prepared.run(store, values)
        assert caught.value.details[0].field == field


def test_an_optional_condition_is_left_out_when_its_operand_is_null() -> None:
    store = make_store()
    by_both = {"count": {"$gte": Slot(0), "$lt": Slot(1), "$optional": True}}
    prepared = store.prepare(Query("items", where=by_both))
    assert names(prepared.run(store, [3, 5])) == ["n3", "n4"]
    assert names(prepared.run(store, [8, None])) == ["n8", "n9"]
    assert len(prepared.run(store, [None, None])) == 10
    either = store.prepare(
        Query("items", where={"$or": [{"count": Slot(0, optional=True)}, {"count": Slot(1, True)}]})
    )
    assert names(either.run(store, [2, None])) == ["n2"]
    assert len(either.run(store, [None, None])) == 10
    denied = store.prepare(Query("items", where={"$not": {"count": Slot(0, optional=True)}}))
    assert len(denied.run(store, [None])) == 10
    span = store.prepare(Query("items", where={"count": {"$between": [Slot(0), Slot(1)], "$optional": True}}))
    assert names(span.run(store, [None, 1])) == ["n0", "n1"]


def test_a_null_that_is_not_optional_is_a_value() -> None:
    store = make_store()
    store.add("items", {"name": "none"})
    prepared = store.prepare(Query("items", where={"count": Slot(0)}))
    assert names(prepared.run(store, [None])) == ["none"]
    greater = store.prepare(Query("items", where={"count": {"$gt": Slot(0)}}))
    assert greater.run(store, [None]) == []


def test_the_envelope_is_the_contracts() -> None:
    store = make_store()
    page = store.query(Query("items", page=2, per_page=4, fields=["id"]))
    assert page == {
        "itemsReceived": 4,
        "curPage": 2,
        "nextPage": 3,
        "prevPage": 1,
        "offset": 0,
        "perPage": 4,
        "items": [{"id": 5}, {"id": 6}, {"id": 7}, {"id": 8}],
    }
    last = store.query(Query("items", page=3, per_page=4, totals=True))
    assert (last["nextPage"], last["prevPage"], last["itemsTotal"], last["pageTotal"]) == (None, 2, 10, 3)
    beyond = store.query(Query("items", page=99, totals="capped"))
    assert (beyond["items"], beyond["nextPage"], beyond["itemsTotal"]) == ([], None, 10)
    assert "itemsTotalCapped" not in beyond
    moved = store.query(Query("items", page=1, per_page=2, offset=3))
    assert (names(moved), moved["offset"]) == (["n3", "n4"], 3)
    assert names(store.query(Query("items", offset=8))) == ["n8", "n9"]


def test_a_capped_total_says_that_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store()
    monkeypatch.setattr("stackyard.tables.prepared.CAP", 9)
    page = store.query(Query("items", per_page=2, totals="capped"))
    assert (page["itemsTotal"], page["pageTotal"], page["itemsTotalCapped"]) == (9, 5, True)


def test_a_bare_list_is_never_cut() -> None:
    store = make_store()
    store.add_many("items", [{"name": "x"}] * 9_990)
    assert len(store.query(Query("items", fields=["id"]))) == 10_000
    store.add("items", {"name": "one more"})
    found = problem_of(store, Query("items", fields=["id"]))
    assert (found.code, found.status) == ("RESULT_TOO_LARGE", 422)


def test_random_is_an_order_of_its_own() -> None:
    store = make_store()
    store.add_many("items", [{"name": f"m{n}"} for n in range(200)])
    first, second = (names(store.query(Query("items", sort="random"))) for _ in range(2))
    assert first != second
    assert sorted(first) == sorted(second)


def test_a_cursor_is_for_its_own_query_only() -> None:
    store = make_store()
    query = Query("items", where={"count": {"$gt": Slot(0)}}, sort="-price", cursor=Slot(1), per_page=3)
    first = store.query(query, [1, None])
    assert (names(first), first["curPage"]) == (["n9", "n8", "n7"], None)
    second = store.query(query, [1, first["nextCursor"]])
    assert names(second) == ["n6", "n5", "n4"]
    third = store.query(query, [1, second["nextCursor"]])
    assert (names(third), third["nextCursor"]) == (["n3", "n2"], None)
    cursor = first["nextCursor"]
    others = [
        (query, [2, cursor]),
        (query, [1, cursor[:-1]]),
        (query, [1, "nonsense"]),
        (query, [1, 5]),
        (Query("items", where={"count": {"$gt": 1}}, sort="price", cursor=cursor), ()),
        (Query("items", where={"count": {"$gte": 1}}, sort="-price", cursor=cursor), ()),
    ]
    for other, values in others:
        assert problem_of(store, other, values).details[0].field == "cursor"


def test_a_cursor_goes_on_though_records_come_and_go() -> None:
    store = make_store()
    query = Query("items", sort="count", cursor=Slot(0), per_page=4)
    first = store.query(query, [""])
    store.delete("items", first["items"][-1]["id"])
    store.add("items", {"name": "early", "count": 0})
    assert names(store.query(query, [first["nextCursor"]])) == ["n4", "n5", "n6", "n7"]


WORDS = (
    "meta.a address.zip meta.0.b $and $or $not $nor $eq $ne $in $nin $gt $between $has $has_any $has_all $like $ilike "
    "$regex $contains $field $optional $exists x"
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(sorted(SPECS)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*SPECS, "id", "", *WORDS.split()]), inner, max_size=3)
    ),
    max_leaves=12,
)


def test_whatever_is_asked_is_answered_or_a_fault() -> None:
    store = make_store()

    @given(where=anything, sort=anything)
    def ask(where: Any, sort: Any) -> None:
        try:
            found = store.query(Query("items", where=where, sort=sort))
        except Problem as problem:
            found, code = [], problem.code
        else:
            code = "INVALID_INPUT"
        assert (len(found) <= 10, code) == (True, "INVALID_INPUT")

    ask()
