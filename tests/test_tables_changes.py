"""The one door to changes of tables, on tables that are in use."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from stackyard.core.models import Workspace
from stackyard.core.version import workspace_versions
from stackyard.tables import changes
from stackyard.tables.models import Field, Table
from stackyard.tables.query import Query
from stackyard.tables.schema import load_schema
from stackyard.tables.specs import field_spec
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


def test_every_fault_of_a_table_comes_at_once() -> None:
    fields = {
        "1st": "text",
        "id": "int",
        "Name": "text",
        "name": "text",
        "a": "txt",
        "b": {"type": "int", "max_length": 3},
        "c": {"type": "reference", "table": "nowhere"},
        "d": {"type": "json", "unique": True},
        "e": {"type": "int", "default": "x"},
        "f": {"type": "int", "required": "yes"},
        "g": {"type": "int", "access": "secret"},
        "h": 5,
        "i": {},
    }
    indexes = [
        {"fields": ["nmae"]},
        {"fields": []},
        {"fields": ["d"]},
        {"fields": ["name", "-name"]},
        {"field": ["name"]},
    ]
    found = faults(lambda: changes.create_table(make_workspace(), "my table", fields=fields, indexes=indexes))
    assert found == [
        ("name", "name"),
        ("fields.1st", "name"),
        ("fields.id", "reserved"),
        ("fields.name", "taken"),
        ("fields.a.type", "value"),
        ("fields.b.max_length", "unknown_key"),
        ("fields.c.table", "value"),
        ("fields.d.unique", "value"),
        ("fields.e.default", "type"),
        ("fields.f.required", "type"),
        ("fields.g.access", "value"),
        ("fields.h", "type"),
        ("fields.i.type", "required"),
        ("indexes.0.fields.0", "value"),
        ("indexes.1", "type"),
        ("indexes.2.fields.0", "value"),
        ("indexes.3.fields", "taken"),
        ("indexes.4", "type"),
    ]
    assert not Table.objects.exists()


def test_names_are_taken_without_regard_to_case(workspace: Workspace) -> None:
    table = make_items(workspace)
    assert faults(lambda: changes.create_table(workspace, "Items")) == [("name", "taken")]
    assert faults(lambda: changes.add_field(table, "NAME", "text")) == [("name", "taken")]
    assert faults(lambda: changes.add_field(table, "Created_At", "text")) == [("name", "reserved")]
    changes.create_table(make_workspace("other"), "items")


def test_a_table_may_refer_to_itself(workspace: Workspace) -> None:
    changes.create_table(workspace, "nodes", fields={"up": {"type": "reference", "table": "nodes"}})
    store = store_of(workspace)
    store.add("nodes", {})
    assert store.add("nodes", {"up": 1})["up"] == 1


def test_tables_that_refer_to_each_other_are_made_in_one_transaction(workspace: Workspace) -> None:
    with transaction.atomic():
        first = changes.create_table(workspace, "a")
        changes.create_table(workspace, "b", fields={"a": {"type": "reference", "table": "a"}})
        changes.add_field(first, "b", {"type": "reference", "table": "b"})
    store = store_of(workspace)
    store.add("a", {})
    store.add("b", {"a": 1})
    assert store.patch("a", 1, {"b": 1})["b"] == 1


def test_a_failure_takes_everything_back(workspace: Workspace) -> None:
    version = workspace_versions.get()[workspace.pk]

    def create_twice() -> None:
        with transaction.atomic():
            changes.create_table(workspace, "a")
            changes.create_table(workspace, "a")

    assert faults(create_twice) == [("name", "taken")]
    assert not Table.objects.exists()
    assert workspace_versions.get()[workspace.pk] == version
    changes.create_table(workspace, "a")
    assert store_of(workspace).add("a", {})["id"] == 1


def test_every_change_moves_the_version(workspace: Workspace) -> None:
    seen = {workspace_versions.get()[workspace.pk]}

    def moved() -> bool:
        version = workspace_versions.get()[workspace.pk]
        is_new = version not in seen
        seen.add(version)
        return is_new

    table = make_items(workspace)
    assert moved()
    field = changes.add_field(table, "a", "int")
    assert moved()
    for deed in (
        lambda: changes.edit_field(field, description="x"),
        lambda: changes.rename_field(field, "b"),
        lambda: changes.add_index(table, ["b"]),
        lambda: changes.hide_index(table.indexes.get(hidden_at=None)),
        lambda: changes.hide_field(field),
        lambda: changes.edit_table(table, description="x"),
        lambda: changes.rename_table(table, "things"),
        lambda: changes.hide_table(table),
    ):
        deed()
        assert moved()


def test_a_renamed_table_keeps_its_records(workspace: Workspace) -> None:
    table = make_items(workspace)
    changes.rename_table(table, "things")
    assert store_of(workspace).query(Query("things", return_="count")) == 3
    changes.rename_table(table, "Things")
    assert "Things" in load_schema(workspace.pk).tables


def test_a_hidden_table_is_gone_and_its_name_is_free(workspace: Workspace) -> None:
    table = make_items(workspace)
    changes.create_table(workspace, "others", fields={"item": {"type": "reference", "table": "items"}})
    assert "others.item" in problem(lambda: changes.hide_table(table)).message
    changes.hide_field(Field.objects.get(name="item"))
    changes.hide_table(table)
    assert "items" not in load_schema(workspace.pk).tables
    assert store_of(make_items(workspace, 1).workspace).query(Query("items", return_="count")) == 1


@pytest.mark.parametrize("mark", ["joined", pytest.param("live", marks=live)])
def test_a_new_field_is_there_at_once(mark: str) -> None:
    workspace = make_workspace()
    table = make_items(workspace)
    changes.add_field(table, "age", "int")
    store = store_of(workspace)
    assert [record["age"] for record in store.query(Query("items"))] == [None] * 3
    assert store.add("items", {"age": 5})["age"] == 5


@pytest.mark.parametrize("mark", ["joined", pytest.param("live", marks=live)])
def test_a_required_field_fills_the_records_that_are_there(
    mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stackyard.tables.filling.BATCH", 2)
    workspace = make_workspace()
    table = make_items(workspace, 7)
    changes.add_field(table, "price", {"type": "decimal", "required": True, "default": "1.5"})
    changes.add_field(table, "key", {"type": "uuid", "required": True, "default": "uuid", "unique": True})
    changes.add_field(table, "at", {"type": "timestamp", "required": True, "default": "now"})
    quotes = "'); DROP TABLE d1; -- \\ ' \" %s ? 日本"
    changes.add_field(table, "text", {"type": "text", "required": True, "default": quotes})
    changes.add_field(table, "list", {"type": "list", "of": "text", "required": True, "default": [quotes]})
    changes.add_field(table, "on", {"type": "bool", "required": True, "default": False})
    changes.add_field(table, "day", {"type": "date", "required": True, "default": "2026-01-23"})
    changes.add_field(table, "f", {"type": "float", "required": True, "default": 0.1})
    records = store_of(workspace).query(Query("items"))
    assert {record["price"] for record in records} == {Decimal("1.50")}
    assert len({record["key"] for record in records}) == 7
    assert all(record["at"] is not None for record in records)
    values = [[record[name] for name in ("text", "list", "on", "day", "f")] for record in records]
    assert values == [[quotes, [quotes], False, "2026-01-23", 0.1]] * 7
    assert faults(lambda: store_of(workspace).patch("items", 1, {"price": None})) == [("price", "required")]


def test_a_required_field_without_a_default_needs_an_empty_table(workspace: Workspace) -> None:
    table = make_items(workspace)
    assert faults(lambda: changes.add_field(table, "a", {"type": "int", "required": True})) == [
        ("default", "required")
    ]
    spec = {"type": "int", "required": True, "default": 1, "unique": True}
    assert faults(lambda: changes.add_field(table, "a", spec)) == [("unique", "value")]
    empty = changes.create_table(workspace, "empty")
    changes.add_field(empty, "a", {"type": "int", "required": True})
    assert faults(lambda: store_of(workspace).add("empty", {})) == [("a", "required")]


@pytest.mark.parametrize("mark", ["joined", pytest.param("live", marks=live)])
def test_a_reference_may_come_later(mark: str) -> None:
    workspace = make_workspace()
    table = make_items(workspace)
    changes.create_table(workspace, "groups")
    changes.add_field(table, "group", {"type": "reference", "table": "groups", "on_delete": "cascade"})
    store = store_of(workspace)
    store.add("groups", {})
    store.patch("items", 1, {"group": 1})
    store.delete("groups", 1)
    assert store.query(Query("items", return_="count")) == 2


def test_a_renamed_field_keeps_its_values(workspace: Workspace) -> None:
    table = make_items(workspace)
    changes.rename_field(field_of(table, "name"), "title")
    store = store_of(workspace)
    assert store.query(Query("items"))[0]["title"] == "n0"
    assert faults(lambda: store.add("items", {"name": "x"})) == [("name", "unknown_field")]
    assert faults(lambda: changes.rename_field(field_of(table, "title"), "id")) == [("name", "reserved")]


def test_a_hidden_field_is_gone_and_its_name_starts_anew(workspace: Workspace) -> None:
    table = make_items(workspace)
    changes.add_index(table, ["name"], unique=True)
    changes.hide_field(field_of(table, "name"))
    assert not table.indexes.filter(hidden_at=None).exists()
    changes.add_field(table, "name", "int")
    assert [record["name"] for record in store_of(workspace).query(Query("items"))] == [None] * 3


def test_a_fields_rules_change_and_its_type_does_not(workspace: Workspace) -> None:
    changes.create_table(workspace, "groups")
    table = make_items(
        workspace,
        price={"type": "decimal", "scale": 3},
        tags={"type": "list", "of": {"type": "text", "max_length": 3}},
        address={"type": "object", "fields": {"zip": "int", "city": "text"}},
        group={"type": "reference", "table": "groups"},
    )
    name = changes.edit_field(
        field_of(table, "name"), max_length=3, access="private", description="d", default="x"
    )
    assert field_spec(name) == {
        "type": "text",
        "max_length": 3,
        "access": "private",
        "description": "d",
        "default": "x",
    }
    changes.edit_field(name, max_length=None, access=None, default=None, description=None)
    assert field_spec(name) == "text"
    changes.edit_field(field_of(table, "tags"), of={"type": "text", "max_length": 9})
    changes.edit_field(
        field_of(table, "address"), fields={"zip": {"type": "int", "min": 0}, "city": "text", "more": "bool"}
    )
    for field, change, places in (
        ("name", {"type": "int"}, ["type"]),
        ("price", {"scale": 2, "precision": 9}, ["precision", "scale"]),
        ("tags", {"of": "int"}, ["of.type"]),
        ("address", {"fields": {"zip": "text", "more": "bool"}}, ["fields.zip.type", "fields.city"]),
        ("group", {"table": "items"}, ["table"]),
        ("name", {"max_lenght": 3}, ["max_lenght"]),
    ):
        found = faults(
            lambda field=field, change=change: changes.edit_field(field_of(table, field), **change)
        )
        assert [place for place, _ in found] == places


@pytest.mark.parametrize("mark", ["joined", pytest.param("live", marks=live)])
def test_a_field_becomes_required_and_unique(mark: str) -> None:
    workspace = make_workspace()
    table = make_items(workspace, 3, age="int")
    store = store_of(workspace)
    age = field_of(table, "age")
    assert faults(lambda: changes.edit_field(age, required=True)) == [("required", "required")]
    changes.edit_field(field_of(table, "age"), required=True, default=7)
    assert [record["age"] for record in store_of(workspace).query(Query("items"))] == [7] * 3
    conflict = problem(lambda: changes.edit_field(field_of(table, "age"), unique=True))
    assert (conflict.code, conflict.details[0].message) == ("CONFLICT", "7 is there 3 times")
    for number in (1, 2, 3):
        store.patch("items", number, {"age": number})
    changes.edit_field(field_of(table, "age"), unique=True, default=None)
    assert "age" in load_schema(workspace.pk).table("items").unique_fields
    assert problem(lambda: store_of(workspace).add("items", {"age": 1})).code == "CONFLICT"
    changes.edit_field(field_of(table, "age"), unique=False)
    assert store_of(workspace).add("items", {"age": 1})["age"] == 1
