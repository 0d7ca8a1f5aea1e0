"""The store while others are at work: locks, races, tables that change beneath it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, connections, transaction

from stackyard.core.errors import Problem
from stackyard.tables import changes
from stackyard.tables.query import Query
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.factories import make_store, make_workspace
from tests.refusals import faults, problem

pytestmark = pytest.mark.django_db(databases=["default", "history"])
# Outside of a transaction: PostgreSQL builds concurrently there, and threads see each other's work.
live = pytest.mark.django_db(transaction=True, databases=["default", "history"])


def shop(on_delete: str | None = None, **more: Any) -> Store:
    return make_store(
        companies={"name": "text"},
        people={
            "name": "text",
            "company": {"type": "reference", "table": "companies", "on_delete": on_delete, **more},
        },
    )


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


@live
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


@live
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


@live
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


@live
def test_a_lock_is_for_transactions() -> None:
    store = make_store()
    assert faults(lambda: store.query(Query("customers", lock=True))) == [("lock", "value")]
    with store.transaction():
        assert store.query(Query("customers", lock=True)) == []


@live
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
