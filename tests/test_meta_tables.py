"""Tables, fields and indexes through the management API."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from auth.keys import create_key
from stackyard.core.models import Workspace
from tests import factories
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])

TABLES = "/api:meta/workspaces/shop/tables"
CUSTOMERS: dict[str, Any] = {
    "name": "customers",
    "description": "Who buys",
    "fields": {
        "name": {"type": "text", "required": True},
        "email": {"type": "email", "unique": True},
        "notes": "text",
    },
    "indexes": [{"fields": ["name", "-created_at"]}],
}


@pytest.fixture
def meta() -> Door:
    workspace = factories.make_workspace("shop")
    return Door(WSGIHandler()).with_key(create_key(workspace, "manager", ["meta"])[1])


def faults(answer: Any) -> set[str]:
    assert answer.status == 400, answer.body
    return {detail["field"] for detail in answer.error["details"]}


def test_a_table_is_made_and_shown_as_files_spell_it(meta: Door) -> None:
    made = meta.post(TABLES, CUSTOMERS)
    assert made.status == 201, made.body
    shown = meta.get(f"{TABLES}/customers").json()
    assert shown == made.json()
    assert shown["fields"]["notes"] == "text"
    assert shown["fields"]["email"] == {"type": "email", "unique": True}
    assert {"fields": ["name", "-created_at"], "unique": False}.items() <= shown["indexes"][-1].items()
    assert [item["name"] for item in meta.get(TABLES).json()["items"]] == ["customers"]


def test_every_fault_of_a_table_is_told_at_once_and_nothing_is_made(meta: Door) -> None:
    wrong = {"name": "1st", "fields": {"a b": "text", "n": {"type": "txt"}, "m": {"type": "text", "maks": 3}}}
    assert faults(meta.post(TABLES, wrong)) == {"name", "fields.a b", "fields.n.type", "fields.m.maks"}
    assert meta.get(TABLES).json()["items"] == []


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": "t", "fields": []}, "fields"),
        ({"name": 5}, "name"),
        ({"name": "t", "indexes": {}}, "indexes"),
        ({"name": "t", "colums": {}}, "colums"),
        ({"name": "t", "indexes": [{"fields": ["nothing"]}]}, "indexes.0.fields.0"),
        ({}, "name"),
    ],
)
def test_a_wrong_table_is_refused(meta: Door, sent: Any, field: str) -> None:
    assert field in faults(meta.post(TABLES, sent))


def test_a_table_is_renamed_described_and_taken_away(meta: Door) -> None:
    meta.post(TABLES, CUSTOMERS)
    changed = meta.patch(f"{TABLES}/customers", {"name": "clients", "description": "Them"})
    assert (changed.json()["name"], changed.json()["description"]) == ("clients", "Them")
    assert meta.get(f"{TABLES}/customers").status == 404
    assert meta.delete(f"{TABLES}/clients").status == 204
    assert meta.get(f"{TABLES}/clients").status == 404


def test_a_table_that_is_referred_to_stays(meta: Door) -> None:
    meta.post(TABLES, CUSTOMERS)
    meta.post(TABLES, {"name": "orders", "fields": {"customer": {"type": "reference", "table": "customers"}}})
    refused = meta.delete(f"{TABLES}/customers")
    assert (refused.status, refused.error["code"]) == (409, "CONFLICT")
    assert meta.get(f"{TABLES}/orders/fields/customer").json()["table"] == "customers"


def test_fields_are_added_changed_renamed_and_taken_away(meta: Door) -> None:
    meta.post(TABLES, CUSTOMERS)
    url = f"{TABLES}/customers/fields"
    made = meta.post(url, {"name": "tier", "type": "enum", "values": ["free", "paid"], "default": "free"})
    assert made.status == 201, made.body
    assert {"name": "tier", "type": "enum", "values": ["free", "paid"], "default": "free"}.items() <= (
        made.json().items()
    )
    changed = meta.patch(
        f"{url}/tier", {"name": "plan", "required": True, "description": "What they pay for"}
    )
    assert changed.status == 200, changed.body
    assert (changed.json()["name"], changed.json()["required"]) == ("plan", True)
    assert [item["name"] for item in meta.get(url).json()["items"]] == ["name", "email", "notes", "plan"]
    assert meta.delete(f"{url}/plan").status == 204
    assert meta.get(f"{url}/plan").status == 404


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": "x"}, "type"),
        ({"type": "text"}, "name"),
        ({"name": "x", "type": "text", "min_length": "a", "requird": True}, "requird"),
        ({"name": "x", "type": "text", "field": 1}, "field"),
        ({"name": "x", "type": "text", "position": "first"}, "position"),
        ({"name": "id", "type": "int"}, "name"),
        ([], ""),
    ],
)
def test_a_wrong_field_is_refused(meta: Door, sent: Any, field: str) -> None:
    meta.post(TABLES, CUSTOMERS)
    assert field in faults(meta.post(f"{TABLES}/customers/fields", sent))
    assert len(meta.get(f"{TABLES}/customers/fields").json()["items"]) == 3


def test_a_failed_change_leaves_the_name_as_it_was(meta: Door) -> None:
    meta.post(TABLES, CUSTOMERS)
    assert "type" in faults(meta.patch(f"{TABLES}/customers/fields/notes", {"name": "other", "type": "int"}))
    assert meta.get(f"{TABLES}/customers/fields/notes").status == 200


def test_indexes_are_built_and_dropped(meta: Door) -> None:
    meta.post(TABLES, CUSTOMERS)
    url = f"{TABLES}/customers/indexes"
    made = meta.post(url, {"fields": ["notes"], "unique": True})
    assert made.status == 201, made.body
    assert made.json()["built_at"]
    assert meta.delete(f"{url}/{made.json()['id']}").status == 204
    assert meta.delete(f"{url}/{made.json()['id']}").status == 404
    assert "fields.0" in faults(meta.post(url, {"fields": ["nothing"]}))


def test_the_field_types_tell_their_options(meta: Door) -> None:
    found = {item["name"]: item for item in meta.get("/api:meta/field-types?per_page=100").json()["items"]}
    assert "max_length" in found["text"]["options"]
    assert "$gt" in found["int"]["operators"]


def test_another_workspaces_tables_are_not_there(meta: Door) -> None:
    from stackyard.tables.changes import create_table

    other: Workspace = factories.make_workspace("other")
    create_table(other, "secrets", fields={"a": "text"})
    assert meta.get("/api:meta/workspaces/other/tables/secrets").status == 404
    assert meta.get(f"{TABLES}/secrets").status == 404
    assert meta.get(TABLES).json()["items"] == []
