"""The one door to records."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections, transaction

from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.tables import changes
from stackyard.tables.query import Query, Slot
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db(databases=["default", "history"])

FIELDS: dict[str, Any] = {
    "name": {"type": "text", "required": True},
    "email": {"type": "email", "unique": True},
    "price": {"type": "decimal", "default": "1.50"},
    "status": {"type": "enum", "values": ["open", "closed"], "default": "open"},
    "seen_at": {"type": "timestamp", "default": "now"},
    "token": {"type": "uuid", "default": "uuid", "access": "private"},
    "note": {"type": "text", "access": "internal"},
}


def make_store(workspace: Workspace | None = None, **tables: Any) -> Store:
    """A store over the tables given by their fields (`customers` when none is)."""
    workspace = workspace or make_workspace()
    for name, fields in (tables or {"customers": FIELDS}).items():
        changes.create_table(workspace, name, fields=fields)
    return Store(load_schema(workspace.pk))


def problem(deed: Callable[[], Any]) -> Problem:
    with pytest.raises(Problem) as caught:
        deed()
    return caught.value


def faults(deed: Callable[[], Any]) -> list[tuple[str, str]]:
    found = problem(deed)
    assert (found.code, found.status) == ("INVALID_INPUT", 400)
    return [(detail.field, detail.code) for detail in found.details]


# Adding


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


# References


def shop(on_delete: str | None = None, **more: Any) -> Store:
    return make_store(
        companies={"name": "text"},
        people={
            "name": "text",
            "company": {"type": "reference", "table": "companies", "on_delete": on_delete, **more},
        },
    )


def test_a_reference_to_nowhere_is_a_fault() -> None:
    store = shop()
    assert faults(lambda: store.add("people", {"company": 7})) == [("company", "reference")]
    person = store.add("people", {})
    assert faults(lambda: store.patch("people", person["id"], {"company": 7})) == [("company", "reference")]
    assert problem(lambda: store.patch("people", 99, {"company": 7})).code == "NOT_FOUND"


def test_references_of_many_records_are_checked_together() -> None:
    store = shop()
    store.add("companies", {})
    items = [{"company": 1}, {"company": 2}, {}, {"company": 3}]
    assert faults(lambda: store.add_many("people", items)) == [
        ("1.company", "reference"),
        ("3.company", "reference"),
    ]
    assert store.query(Query("people", return_="count")) == 0


def test_set_null_leaves_the_record() -> None:
    store = shop()
    store.add("companies", {})
    store.add("people", {"company": 1})
    store.delete("companies", 1)
    assert store.query(Query("people"))[0]["company"] is None


def test_restrict_refuses_and_names_who_refers() -> None:
    store = shop("restrict")
    store.add("companies", {})
    store.add("people", {"company": 1})
    found = problem(lambda: store.delete("companies", 1))
    assert (found.code, found.status) == ("CONFLICT", 409)
    assert "people" in found.message
    store.delete("people", 1)
    store.delete("companies", 1)


def test_a_required_reference_restricts_unless_told_otherwise() -> None:
    store = shop(None, required=True)
    store.add("companies", {})
    store.add("people", {"company": 1})
    assert problem(lambda: store.delete("companies", 1)).code == "CONFLICT"


def test_cascade_goes_down_all_levels_and_around_circles() -> None:
    workspace = make_workspace()
    changes.create_table(
        workspace, "nodes", fields={"up": {"type": "reference", "table": "nodes", "on_delete": "cascade"}}
    )
    changes.create_table(
        workspace, "leaves", fields={"node": {"type": "reference", "table": "nodes", "on_delete": "cascade"}}
    )
    changes.create_table(workspace, "marks", fields={"leaf": {"type": "reference", "table": "leaves"}})
    store = Store(load_schema(workspace.pk))
    store.add_many("nodes", [{}, {}, {}, {}])
    for node, up in ((1, 3), (2, 1), (3, 2)):
        store.patch("nodes", node, {"up": up})
    store.add_many("leaves", [{"node": 2}, {"node": 4}])
    store.add_many("marks", [{"leaf": 1}, {"leaf": 2}])
    store.delete("nodes", 1)
    assert [r["id"] for r in store.query(Query("nodes"))] == [4]
    assert [r["id"] for r in store.query(Query("leaves"))] == [2]
    assert [r["leaf"] for r in store.query(Query("marks"))] == [None, 2]


def test_a_restriction_below_a_cascade_keeps_everything() -> None:
    workspace = make_workspace()
    changes.create_table(workspace, "a", fields={"n": "int"})
    changes.create_table(
        workspace, "b", fields={"a": {"type": "reference", "table": "a", "on_delete": "cascade"}}
    )
    changes.create_table(
        workspace, "c", fields={"b": {"type": "reference", "table": "b", "on_delete": "restrict"}}
    )
    store = Store(load_schema(workspace.pk))
    for table, data in (("a", {}), ("b", {"a": 1}), ("c", {"b": 1})):
        store.add(table, data)
    assert problem(lambda: store.delete_many("a", {})).code == "CONFLICT"
    assert all(store.has(table, 1) for table in "abc")


# Changing


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


# Upsert


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


# Many


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


# Transactions, other workspaces, statements


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


def test_a_schema_that_moved_is_loaded_again_once() -> None:
    workspace = make_workspace()
    table = changes.create_table(workspace, "t", fields={"a": "int", "b": "int"})
    stale = Store(load_schema(workspace.pk))
    stale.add("t", {"a": 1, "b": 2})
    prepared = stale.prepare(Query("t"))
    field = table.fields.get(name="b")
    changes.hide_field(field)
    with connection.cursor() as cursor:
        space = f'"ws{workspace.pk}".' if connection.vendor == "postgresql" else ""
        cursor.execute(f'ALTER TABLE {space}"{table.physical}" DROP COLUMN "{field.physical}"')
    # A test runs within a transaction, where nothing can be tried again.
    with pytest.raises(Problem) as caught, transaction.atomic():
        prepared.run(stale)
    assert (caught.value.code, caught.value.status) == ("CONFLICT", 409)


@pytest.mark.django_db(transaction=True, databases=["default", "history"])
def test_a_stale_store_goes_on_outside_a_transaction() -> None:
    workspace = make_workspace()
    table = changes.create_table(workspace, "t", fields={"a": "int", "b": {"type": "int", "unique": True}})
    stale = Store(load_schema(workspace.pk))
    stale.add("t", {"a": 1, "b": 2})
    prepared = stale.prepare(Query("t"))
    field = table.fields.get(name="b")
    changes.hide_field(field)
    with connection.cursor() as cursor:
        space = f'"ws{workspace.pk}".' if connection.vendor == "postgresql" else ""
        cursor.execute(f'ALTER TABLE {space}"{table.physical}" DROP COLUMN "{field.physical}"')
    assert [set(record) for record in prepared.run(stale)] == [{"id", "created_at", "a"}]
    for deed in (
        lambda s: s.get("t", 1),
        lambda s: s.patch("t", 1, {"a": 5}),
        lambda s: s.add("t", {"a": 1}),
    ):
        fresh = Store(prepared.schema)
        assert set(deed(fresh)) == {"id", "created_at", "a"}
    assert faults(lambda: Store(prepared.schema).add("t", {"b": 1})) == [("b", "unknown_field")]


@pytest.mark.django_db(transaction=True, databases=["default", "history"])
def test_a_record_cannot_come_to_point_at_one_that_goes() -> None:
    store = shop("restrict")
    store.add("companies", {})
    schema = store.schema
    outcomes: list[str] = []

    def refer() -> None:
        try:
            Store(schema).add("people", {"company": 1})
            outcomes.append("added")
        except Problem as found:
            outcomes.append(found.code)
        finally:
            connections.close_all()

    with store.transaction():
        store.delete("companies", 1)
        thread = threading.Thread(target=refer)
        thread.start()
        thread.join(0.3)
    thread.join(10)
    assert outcomes == ["INVALID_INPUT"]
    assert store.query(Query("people", return_="count")) == 0


@pytest.mark.django_db(transaction=True, databases=["default", "history"])
def test_writers_side_by_side_lose_nothing() -> None:
    store = make_store(counts={"n": {"type": "int", "default": 0}, "key": {"type": "int", "unique": True}})
    store.add("counts", {"key": 0})
    schema, failures = store.schema, []

    def work(worker: int) -> None:
        mine = Store(schema)
        try:
            for turn in range(25):
                mine.upsert("counts", 1 + turn, {"n": worker}, "key")
                with mine.transaction():
                    held = mine.query(Query("counts", where={"key": 0}, return_="single", lock=True))
                    mine.patch("counts", held["id"], {"n": held["n"] + 1})
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    found = store.get("counts", 0, "key")
    assert found is not None
    assert found["n"] == 100
    assert store.query(Query("counts", return_="count")) == 26


@pytest.mark.django_db(transaction=True, databases=["default", "history"])
def test_a_lock_is_for_transactions() -> None:
    store = make_store()
    assert faults(lambda: store.query(Query("customers", lock=True))) == [("lock", "value")]
    with store.transaction():
        assert store.query(Query("customers", lock=True)) == []


@pytest.mark.django_db(transaction=True, databases=["default", "history"])
def test_a_lock_that_does_not_come_in_time_is_busy() -> None:
    store = make_store()
    store.add("customers", {"name": "Ann"})
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        mine = Store(store.schema)
        with mine.transaction():
            mine.patch("customers", 1, {"name": "held"})
            holding.set()
            release.wait(10)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(10)
    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'" if postgresql else "PRAGMA busy_timeout = 100")

    def wait_in_a_transaction() -> None:
        with store.transaction():
            store.patch("customers", 1, {"name": "late"})

    def go_on_in_a_broken_transaction() -> None:
        with store.transaction():
            problem(lambda: store.query(Query("customers", lock=True)))
            store.get("customers", 1)

    try:
        deeds = [lambda: store.patch("customers", 1, {"name": "late"}), wait_in_a_transaction]
        for deed in [*deeds, *([go_on_in_a_broken_transaction] if postgresql else [])]:
            found = problem(deed)
            assert (found.code, found.status) == ("BUSY", 503)
    finally:
        release.set()
        thread.join(10)
        connection.close()
    assert store.patch("customers", 1, {"name": "free"})["name"] == "free"


def test_a_bulk_of_faults_is_told_up_to_a_thousand() -> None:
    store = make_store()
    assert len(faults(lambda: store.add_many("customers", [{"name": {"a": "x" * 9_000}}] * 1_001))) == 1_000
