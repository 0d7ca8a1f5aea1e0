"""References, and what a deletion does to those that refer."""

from __future__ import annotations

from typing import Any

import pytest

from stackyard.tables import changes
from stackyard.tables.query import Query
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.factories import make_store, make_workspace
from tests.refusals import faults, problem

pytestmark = pytest.mark.django_db(databases=["default", "history"])


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
