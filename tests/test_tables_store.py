"""The one door to records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from stackyard.tables.query import Query, Slot
from stackyard.tables.store import Store
from tests.factories import make_store, make_workspace
from tests.refusals import faults, problem

pytestmark = pytest.mark.django_db(databases=["default", "history"])


def test_an_added_record_is_what_get_finds() -> None:
    store = make_store()
    before = datetime.now(UTC)
    record = store.add("customers", {"name": "Ann", "email": "ANN@x.de"})
    assert record["id"] == 1
    assert record["email"] == "ann@x.de"
    assert (record["price"], record["status"]) == (Decimal("1.50"), "open")
    assert abs((record["created_at"] - before).total_seconds()) < 60
    assert record["created_at"].microsecond % 1000 == 0
    assert store.get("customers", 1) == record
    assert list(record) == ["id", "created_at", "name", "email", "price", "status", "seen_at"]


def test_private_and_internal_fields_come_only_when_they_are_named() -> None:
    store = make_store()
    store.add("customers", {"name": "Ann", "note": "secret"})
    record = store.get("customers", 1, fields=["note", "token", "id"])
    assert record is not None
    assert (record["note"], record["id"], len(record["token"])) == ("secret", 1, 36)


def test_every_fault_of_the_data_comes_at_once() -> None:
    store = make_store()
    data = {"nmae": "Ann", "email": "no", "price": "x", "status": "gone", "id": 5, "created_at": 0}
    assert faults(lambda: store.add("customers", data)) == [
        ("nmae", "unknown_field"),
        ("id", "read_only"),
        ("created_at", "read_only"),
        ("name", "required"),
        ("email", "format"),
        ("price", "type"),
        ("status", "value"),
    ]
    assert store.query(Query("customers", return_="count")) == 0


def test_a_misspelt_field_is_shown_the_nearest() -> None:
    store = make_store()
    found = problem(lambda: store.add("customers", {"nmae": "Ann"}))
    assert 'Did you mean "name"?' in found.details[0].message


@pytest.mark.parametrize("data", [None, [], "x", 5])
def test_data_that_is_no_record_is_a_fault(data: Any) -> None:
    store = make_store()
    assert faults(lambda: store.add("customers", data)) == [("", "type")]
    assert faults(lambda: store.patch("customers", 1, data)) == [("", "type")]


def test_a_doubled_value_names_its_field() -> None:
    store = make_store()
    store.add("customers", {"name": "Ann", "email": "a@x.de"})
    found = problem(lambda: store.add("customers", {"name": "Bob", "email": "A@x.de"}))
    assert (found.code, found.status, found.details[0].field) == ("CONFLICT", 409, "email")
    assert "a@x.de" in found.message


def test_nulls_are_not_doubled() -> None:
    store = make_store()
    store.add("customers", {"name": "Ann"})
    assert store.add("customers", {"name": "Bob"})["email"] is None


def test_a_doubled_value_leaves_the_transaction_whole() -> None:
    store = make_store()
    with store.transaction():
        store.add("customers", {"name": "Ann", "email": "a@x.de"})
        problem(lambda: store.add("customers", {"name": "Bob", "email": "a@x.de"}))
        problem(lambda: store.add_many("customers", [{"name": "B"}, {"name": "B", "email": "a@x.de"}]))
        store.add("customers", {"name": "Cid"})
    assert [r["name"] for r in store.query(Query("customers"))] == ["Ann", "Cid"]


def test_a_long_text_in_an_index_is_a_fault_on_both_databases() -> None:
    store = make_store(notes={"slug": {"type": "text", "unique": True}, "body": "text"})
    assert faults(lambda: store.add("notes", {"slug": "ä" * 1_301})) == [("slug", "length")]
    assert store.add("notes", {"slug": "ä" * 1_300, "body": "x" * 100_000})["id"] == 1


def test_edit_replaces_and_patch_merges() -> None:
    store = make_store()
    store.add("customers", {"name": "Ann", "email": "a@x.de", "price": 9})
    patched = store.patch("customers", 1, {"price": 3})
    assert (patched["name"], patched["email"], patched["price"]) == ("Ann", "a@x.de", Decimal("3.00"))
    edited = store.edit("customers", 1, {"name": "Bob"})
    assert (edited["name"], edited["email"], edited["price"]) == ("Bob", None, Decimal("1.50"))
    assert edited["created_at"] == patched["created_at"]
    assert faults(lambda: store.edit("customers", 1, {})) == [("name", "required")]
    assert faults(lambda: store.patch("customers", 1, {"name": None})) == [("name", "required")]


def test_edit_keeps_what_its_caller_may_not_see() -> None:
    store = make_store()
    store.add("customers", {"name": "Ann", "note": "secret"})
    store.edit("customers", 1, {"name": "Bob"})
    assert store.get("customers", 1, fields=["note"]) == {"note": "secret"}
    store.edit("customers", 1, {"name": "Bob", "note": None})
    assert store.get("customers", 1, fields=["note"]) == {"note": None}


def test_a_patch_of_nothing_gives_the_record() -> None:
    store = make_store()
    record = store.add("customers", {"name": "Ann"})
    assert store.patch("customers", 1, {}) == record


def test_records_are_found_by_any_unique_field() -> None:
    store = make_store()
    store.add("customers", {"name": "Ann", "email": "a@x.de"})
    assert store.patch("customers", "A@X.de", {"price": 2}, "email")["price"] == Decimal(2)
    store.delete("customers", "a@x.de", "email")
    assert not store.has("customers", 1)
    assert faults(lambda: store.delete("customers", "Ann", "name")) == [("field", "value")]


def test_get_by_a_field_that_is_not_unique_gives_the_first() -> None:
    store = make_store()
    store.add_many("customers", [{"name": "Ann"}, {"name": "Ann"}])
    found = store.get("customers", "Ann", "name")
    assert found is not None
    assert found["id"] == 1


def test_what_is_not_there_is_null_or_not_found() -> None:
    store = make_store()
    assert store.get("customers", 1) is None
    assert store.get("customers", None) is None
    assert store.has("customers", 1) is False
    for deed in (
        lambda: store.edit("customers", 1, {"name": "x"}),
        lambda: store.patch("customers", None, {}),
        lambda: store.delete("customers", 1),
    ):
        found = problem(deed)
        assert (found.code, found.status) == ("NOT_FOUND", 404)


@pytest.mark.parametrize("value", ["abc", 1.5, [1], {"$ne": 1}, True, 2**63])
def test_a_key_of_the_wrong_kind_is_a_fault(value: Any) -> None:
    store = make_store()
    assert faults(lambda: store.get("customers", value))[0][0] == "id"


def test_unknown_tables_and_fields_are_named_with_the_nearest() -> None:
    store = make_store()
    assert 'Did you mean "customers"?' in problem(lambda: store.add("custmers", {})).message
    assert 'Did you mean "email"?' in problem(lambda: store.get("customers", 1, "emial")).message


def test_upsert_adds_then_changes_what_is_named() -> None:
    store = make_store()
    added = store.upsert("customers", "a@x.de", {"name": "Ann", "price": 5}, "email")
    assert (added["email"], added["price"]) == ("a@x.de", Decimal(5))
    changed = store.upsert("customers", "a@x.de", {"name": "Bob"}, "email")
    assert (changed["id"], changed["name"], changed["price"]) == (added["id"], "Bob", Decimal(5))


def test_upsert_of_part_of_a_record_changes_it_but_adds_none() -> None:
    store = make_store()
    store.add("customers", {"name": "Ann", "email": "a@x.de"})
    assert store.upsert("customers", "a@x.de", {"price": 7}, "email")["name"] == "Ann"
    assert faults(lambda: store.upsert("customers", "b@x.de", {"price": 7}, "email")) == [
        ("name", "required")
    ]


def test_upsert_by_id_and_to_another_value() -> None:
    store = make_store()
    first = store.upsert("customers", None, {"name": "Ann", "email": "a@x.de"})
    assert store.upsert("customers", first["id"], {"name": "Bob"})["email"] == "a@x.de"
    assert store.upsert("customers", 99, {"name": "Cid"})["id"] == 2
    moved = store.upsert("customers", "a@x.de", {"email": "new@x.de"}, "email")
    assert (moved["id"], moved["email"]) == (1, "new@x.de")


def test_upsert_refuses_references_to_nowhere() -> None:
    store = make_store(
        companies={"name": "text"},
        people={
            "key": {"type": "int", "unique": True},
            "company": {"type": "reference", "table": "companies"},
        },
    )
    assert faults(lambda: store.upsert("people", 1, {"company": 5}, "key")) == [("company", "reference")]


def test_a_transaction_inside_another_is_undone_by_itself() -> None:
    store = make_store()
    with store.transaction():
        store.add("customers", {"name": "kept"})
        with pytest.raises(ZeroDivisionError):
            _fail_after(store)
    assert [r["name"] for r in store.query(Query("customers"))] == ["kept"]


def _fail_after(store: Store) -> None:
    with store.transaction():
        store.add("customers", {"name": "lost"})
        raise ZeroDivisionError


def test_a_store_knows_only_its_own_workspace() -> None:
    first = make_store()
    make_store(make_workspace("other"), things={"name": "text"})
    assert "There is no table" in problem(lambda: first.query(Query("things"))).message


def shop(on_delete: str | None = None, **more: Any) -> Store:
    return make_store(
        companies={"name": "text"},
        people={
            "name": "text",
            "company": {"type": "reference", "table": "companies", "on_delete": on_delete, **more},
        },
    )


def test_no_deed_takes_more_statements_than_it_must() -> None:
    store = shop()
    heard: list[str] = []
    store.on_query = lambda sql, seconds, rows: heard.append(sql)

    def count(deed: Callable[[], Any]) -> int:
        heard.clear()
        deed()
        return len(heard)

    assert count(lambda: store.add("companies", {})) == 1
    assert count(lambda: store.add("people", {"company": 1})) == 1
    assert count(lambda: store.get("people", 1)) == 1
    assert count(lambda: store.patch("people", 1, {"company": 1})) == 1
    assert count(lambda: store.edit("people", 1, {"name": "x"})) == 1
    assert count(lambda: store.add_many("people", [{"company": 1}] * 50)) == 2
    assert count(lambda: store.delete("people", 1)) == 1
    assert count(lambda: store.delete("companies", 1)) == 3


def test_statements_are_kept_within_a_bound_and_never_grow_with_values() -> None:
    store = make_store()
    query = Query(
        "customers", where={"price": {"$in": Slot(0)}, "name": {"$like": Slot(1), "$optional": True}}
    )
    prepared = store.prepare(query)
    prepared.run(store, [[1, 2], "a%"])
    size = len(store.schema.statements)
    for n in range(50):
        prepared.run(store, [list(range(n)), f"{n}%"])
        store.query(Query("customers", where={"price": {"$in": list(range(n))}, "name": {"$like": str(n)}}))
    assert len(store.schema.statements) <= size + 2
    store.schema.statements.size = 5
    for count in range(1, 30):
        store.query(Query("customers", where={"$or": [{"price": 1}] * count}))
    assert len(store.schema.statements) <= 5
