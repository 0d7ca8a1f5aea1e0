"""Many records at once, all or none."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from stackyard.tables.query import Query
from tests.factories import make_store
from tests.refusals import faults, problem

pytestmark = pytest.mark.django_db(databases=["default", "history"])


def test_many_records_keep_their_order() -> None:
    store = make_store()
    records = store.add_many("customers", [{"name": f"n{n}"} for n in range(2_000)])
    assert [record["name"] for record in records] == [f"n{n}" for n in range(2_000)]
    assert [record["id"] for record in records] == list(range(1, 2_001))
    assert store.add_many("customers", []) == []


def test_faults_of_many_carry_their_index_and_nothing_is_written() -> None:
    store = make_store()
    items = [{"name": "a"}, {"price": "x"}, {"name": "c", "oops": 1}, 5]
    assert faults(lambda: store.add_many("customers", items)) == [
        ("1.name", "required"),
        ("1.price", "type"),
        ("2.oops", "unknown_field"),
        ("3", "type"),
    ]
    assert store.query(Query("customers", return_="count")) == 0


def test_many_are_ten_thousand_at_most() -> None:
    store = make_store()
    assert faults(lambda: store.add_many("customers", [{}] * 10_001)) == [("items", "length")]
    assert faults(lambda: store.add_many("customers", "x")) == [("items", "type")]


def test_many_changes_are_all_or_none() -> None:
    store = make_store()
    store.add_many("customers", [{"name": "a", "price": 1}, {"name": "b", "price": 2}])
    patched = store.patch_many("customers", [{"id": 2, "name": "B"}, {"id": 1, "price": 9}])
    assert [(r["id"], r["name"], r["price"]) for r in patched] == [(2, "B", 2), (1, "a", 9)]
    missing = problem(
        lambda: store.patch_many("customers", [{"id": 1, "name": "x"}, {"id": 77, "name": "y"}])
    )
    assert (missing.code, missing.details[0].field) == ("NOT_FOUND", "1.id")
    assert store.query(Query("customers", where={"id": 1}, return_="single"))["name"] == "a"
    wrong = [{"name": "x"}, {"id": "q", "name": "y"}, {"id": 1, "price": "z"}]
    assert faults(lambda: store.patch_many("customers", wrong)) == [
        ("0.id", "required"),
        ("1.id", "type"),
        ("2.price", "type"),
    ]
    edited = store.edit_many("customers", [{"id": 1, "name": "z"}])
    assert edited[0]["price"] == Decimal("1.50")


def test_delete_many_says_how_many() -> None:
    store = make_store()
    store.add_many("customers", [{"name": f"n{n}", "price": n} for n in range(10)])
    assert store.delete_many("customers", {"price": {"$gte": 7}}) == 3
    assert store.delete_many("customers", {"price": {"$gte": 7}}) == 0
    assert faults(lambda: store.delete_many("customers", {"prize": 7})) == [("where.prize", "unknown_field")]
    assert store.query(Query("customers", return_="count")) == 7


def test_imported_records_keep_their_ids_and_the_next_one_follows() -> None:
    store = make_store()
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    items = [{"id": 50, "name": "a", "created_at": moment}, {"id": 7, "name": "b"}]
    assert [r["id"] for r in store.import_many("customers", items)] == [7, 50]
    found = store.get("customers", 50)
    assert found is not None
    assert found["created_at"] == moment
    assert store.add("customers", {"name": "c"})["id"] == 51
    assert problem(lambda: store.import_many("customers", [{"id": 7, "name": "d"}])).details[0].field == "id"
    assert faults(lambda: store.import_many("customers", [{"id": 9, "name": "d"}, {"name": "e"}])) == [
        ("1.id", "required")
    ]


def test_imported_records_may_refer_to_each_other() -> None:
    store = make_store(nodes={"up": {"type": "reference", "table": "nodes"}})
    store.import_many("nodes", [{"id": 1, "up": 2}, {"id": 2, "up": 1}])
    assert faults(lambda: store.import_many("nodes", [{"id": 3, "up": 9}])) == [("0.up", "reference")]
    assert not store.has("nodes", 3)


def test_a_bulk_of_faults_is_told_up_to_a_thousand() -> None:
    store = make_store()
    assert len(faults(lambda: store.add_many("customers", [{"name": {"a": "x" * 9_000}}] * 1_001))) == 1_000
