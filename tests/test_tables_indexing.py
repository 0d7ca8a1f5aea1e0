"""Indexes on live tables."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from stackyard.core.models import Workspace
from stackyard.tables import changes, ddl
from stackyard.tables.models import Field, Table
from stackyard.tables.schema import load_schema
from stackyard.tables.specs import index_spec
from stackyard.tables.store import Store
from tests.factories import make_workspace
from tests.refusals import faults, problem

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


def field_of(table: Table, name: str) -> Field:
    return table.fields.get(name=name, hidden_at=None)


@pytest.mark.parametrize("mark", ["joined", pytest.param("live", marks=live)])
def test_a_unique_index_shows_what_is_there_twice(mark: str) -> None:
    workspace = make_workspace()
    table = make_items(workspace, 1, day="date", n="int")
    store = store_of(workspace)
    store.add_many("items", [{"name": f"d{n % 6}", "day": "2026-01-01"} for n in range(12)])
    found = problem(lambda: changes.add_index(table, ["name", "-day"], unique=True))
    assert (found.code, len(found.details)) == ("CONFLICT", 5)
    assert found.details[0].message == '"d0", "2026-01-01" is there 2 times'
    assert not table.indexes.exists()
    store.delete_many("items", {"id": {"$gt": 7}})
    index = changes.add_index(table, ["name", "-day"], unique=True)
    assert index_spec(index) == {"fields": ["name", "-day"], "unique": True}
    doubled = problem(lambda: store_of(workspace).add("items", {"name": "d0", "day": "2026-01-01"}))
    assert [detail.field for detail in doubled.details] == ["name", "day"]


@pytest.mark.parametrize("mark", ["joined", pytest.param("live", marks=live)])
def test_an_index_serves_the_order_it_was_made_for(mark: str) -> None:
    workspace = make_workspace()
    table = make_items(workspace, 10, n="int")
    changes.add_index(table, ["name", "-created_at"])
    physical = load_schema(workspace.pk).table("items").indexes[0].name
    sql = f"SELECT id FROM {ddl.table_name(table)} WHERE {ddl.quoted(field_of(table, 'name').physical)} = 'n1' ORDER BY "
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = off")
            cursor.execute("SET enable_sort = off")
            cursor.execute(f'EXPLAIN {sql} "created_at" DESC, id DESC')
        else:
            cursor.execute(f'EXPLAIN QUERY PLAN {sql} "created_at" DESC')
        plan = " ".join(str(row) for row in cursor.fetchall())
        if connection.vendor == "postgresql":
            cursor.execute("RESET enable_seqscan")
            cursor.execute("RESET enable_sort")
    assert physical in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def test_sixteen_indexes_are_the_most(workspace: Workspace) -> None:
    table = make_items(workspace)
    for _ in range(16):
        changes.add_index(table, ["name"])
    assert faults(lambda: changes.add_index(table, ["name"])) == [("indexes", "range")]
    changes.hide_index(table.indexes.filter(hidden_at=None)[0])
    changes.add_index(table, ["-name"])


def test_texts_too_long_for_an_index_are_found_first(workspace: Workspace) -> None:
    table = make_items(workspace)
    store_of(workspace).add("items", {"name": "x" * 3_000})
    found = problem(lambda: changes.add_index(table, ["name"]))
    assert (found.code, "too long" in found.message) == ("CONFLICT", True)
