"""Changes of tables under load."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connections

from stackyard.core.models import Workspace
from stackyard.tables import changes
from stackyard.tables.models import Table
from stackyard.tables.query import Query
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db(databases=["default", "history"])
# Outside of a transaction: PostgreSQL builds concurrently there, and threads see each other's work.
live = pytest.mark.django_db(transaction=True, databases=["default", "history"])


def store_of(workspace: Workspace) -> Store:
    return Store(load_schema(workspace.pk))


def make_items(workspace: Workspace, count: int = 3, **fields: Any) -> Table:
    """A table `items` with a text field `name` and some records."""
    table = changes.create_table(workspace, "items", fields={"name": "text", **fields})
    store_of(workspace).add_many("items", [{"name": f"n{n}"} for n in range(count)])
    return table


@live
def test_tables_change_while_others_read_and_write() -> None:
    workspace = make_workspace()
    table = make_items(workspace, 200)
    stop, failures, done = threading.Event(), [], []

    def work() -> None:
        try:
            while not stop.is_set():
                store = store_of(workspace)
                record = store.add("items", {"name": "x"})
                store.patch("items", record["id"], {"name": "y"})
                assert store.query(Query("items", where={"name": "y"}, sort="-id", per_page=5))["items"]
                done.append(record["id"])
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(4):
            field = changes.add_field(table, f"a{turn}", {"type": "int", "required": True, "default": turn})
            index = changes.add_index(table, [f"a{turn}", "name"])
            changes.rename_field(field, f"b{turn}")
            changes.hide_index(index)
            if turn % 2:
                changes.hide_field(field)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not failures
    assert done
    records = store_of(workspace).query(Query("items", where={"$or": [{"b0": None}, {"b2": None}]}))
    assert records == []


@live
def test_a_change_waits_for_a_long_transaction_without_stopping_others() -> None:
    workspace = make_workspace()
    table = make_items(workspace)
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        store = store_of(workspace)
        with store.transaction():
            store.query(Query("items"))
            holding.set()
            release.wait(10)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(10)
    timer = threading.Timer(0.5, release.set)
    timer.start()
    changes.add_field(table, "late", "int")
    assert release.is_set()
    thread.join(10)
    assert "late" in load_schema(workspace.pk).table("items").fields
