"""What a change of fields will do is told before it is done: to records, and to those who read them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client

from auth.keys import create_key
from stackyard.tables import changes
from stackyard.tables.changes import create_table
from stackyard.tables.foresight import Change, what_will_happen
from stackyard.tables.models import Table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests import factories
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def people(console: Client) -> Table:
    """Four people: two have the same city, one has none; the last one's is hostile."""
    shop = factories.make_workspace()
    fields = {"name": {"type": "text", "required": True}, "city": "text"}
    made = create_table(shop, "people", fields=fields)
    cities = ["Berlin", "Berlin", None, "<b>Bonn"]
    Store(load_schema(shop.pk)).add_many(
        "people", [{"name": f"P{n}", "city": c} for n, c in enumerate(cities)]
    )
    return made


def edit(table: Table, field: str, name: str = "", **spec: Any) -> Change:
    found = table.fields.get(name=field)
    return Change("edit", table, field=found, name=name or field, spec=spec)


def test_empty_and_doubled_values_are_found_with_their_records(people: Table) -> None:
    empty = what_will_happen(edit(people, "city", required=True))
    assert "1 of 4 records hold nothing" in empty.stopped
    assert (empty.refused, [one["ids"] for one in empty.bad]) == (1, [[3]])
    filled = what_will_happen(edit(people, "city", required=True, default="Ulm"))
    assert not filled.stopped
    assert '1 of 4 records hold nothing: they get "Ulm".' in filled.steps
    doubled = what_will_happen(edit(people, "city", unique=True))
    assert (doubled.refused, doubled.bad[0]["ids"]) == (1, [1, 2])
    assert doubled.bad[0]["value"] == '"Berlin"'
    assert not what_will_happen(edit(people, "name", unique=True)).stopped
    pair = Change("index", people, parts=["city", "-name"], unique=True)
    assert not what_will_happen(pair).stopped
    assert what_will_happen(Change("index", people, parts=["city"], unique=True)).bad[0]["ids"] == [1, 2]


def test_values_that_new_options_would_not_take_are_found(people: Table) -> None:
    outlook = what_will_happen(edit(people, "city", max_length=5))
    assert (outlook.refused, [one["ids"] for one in outlook.bad]) == (3, [[1], [2], [4]])
    assert not outlook.stopped
    changes.edit_field(people.fields.get(name="city"), max_length=5)


@pytest.mark.parametrize(
    "spec",
    [{"type": "text", "required": True}, {"type": "int", "required": True, "unique": True, "default": 1}],
)
def test_what_is_foretold_of_a_new_field_is_what_happens(people: Table, spec: dict[str, Any]) -> None:
    from stackyard.core.errors import Problem

    assert what_will_happen(Change("add", people, name="age", spec=spec)).stopped
    with pytest.raises(Problem):
        changes.add_field(people, "age", spec)
    with pytest.raises(Problem):
        what_will_happen(Change("add", people, name="city", spec="text"))
    assert what_will_happen(Change("add", people, name="age", spec="int")).steps[0].startswith("4 records")


def test_a_field_is_changed_after_what_will_happen_was_seen(console: Client, people: Table) -> None:
    city = people.fields.get(name="city")
    page = f"/admin/tables/table/{people.pk}/fields/{city.pk}/"
    sent = {"name": "town", "access": "public", "unique": "on"}
    seen = console.post(page, sent).content.decode()
    assert "1 that does not fit" in seen
    assert 'name="sure"' not in seen
    assert f"/admin/tables/table/{people.pk}/records/2/" in seen
    again = console.post(page, {**sent, "again": "1"}).content.decode()
    assert 'value="town"' in again
    sent = {"name": "town", "access": "public", "required": "on", "default": "Ulm"}
    seen = console.post(page, sent).content.decode()
    assert "It is called town" in seen
    assert 'name="sure"' in seen
    assert "city" in load_schema(people.workspace_id).table("people").fields
    assert console.post(page, {**sent, "sure": "1"}).status_code == 302
    record = Store(load_schema(people.workspace_id)).get("people", 3)
    assert record is not None
    assert record["town"] == "Ulm"


def test_fields_and_indexes_are_added_after_what_will_happen_was_seen(console: Client, people: Table) -> None:
    page = f"/admin/tables/table/{people.pk}/change/"
    sent = {"do": "field", "field-name": "age", "field-type": "int", "field-access": "public"}
    assert "4 records hold nothing in it yet" in console.post(page, sent).content.decode()
    assert console.post(page, {**sent, "sure": "1"}).status_code == 302
    sent = {"do": "index", "index-names": "city", "index-unique": "on"}
    assert "is there 2 times" in console.post(page, sent).content.decode()
    assert console.post(page, {"do": "index", "index-names": "city", "sure": "1"}).status_code == 302
    assert people.indexes.count() == 1


def test_those_who_read_a_field_are_named_and_may_stop_it(console: Client, people: Table) -> None:
    group = factories.make_group(people.workspace)
    where = {"table": "people", "where": {"city": "Ulm"}}
    lines = [{"id": "a", "step": "bulk_delete", "params": where}]
    endpoint = factories.make_endpoint(group, method="DELETE", lines=lines)
    city = people.fields.get(name="city")
    page = console.get(f"/admin/tables/table/{people.pk}/fields/{city.pk}/hide/").content.decode()
    assert "still uses it: endpoint shop/" in page
    assert "Yes, delete" not in page
    assert "3 of 4 records hold a value" in page
    assert f"/admin/endpoints/endpoint/{endpoint.pk}/change/" in page
    assert "names the field" in page
    name = people.fields.get(name="name")
    assert (
        "uses the table"
        in console.get(f"/admin/tables/table/{people.pk}/fields/{name.pk}/hide/").content.decode()
    )
    renamed = what_will_happen(edit(people, "city", name="town"))
    assert "endpoint shop/" in renamed.stopped
    assert "city" in load_schema(people.workspace_id).table("people").fields


def test_what_will_happen_is_told_by_the_management_api_and_nothing_is_done(people: Table) -> None:
    meta = Door(WSGIHandler()).with_key(create_key(people.workspace, "manager", ["meta"])[1])
    factories.make_endpoint(
        factories.make_group(people.workspace),
        lines=[
            {"id": "a", "step": "query_all_records", "params": {"table": "people", "where": {"city": "Ulm"}}}
        ],
    )
    table = "/api:meta/workspaces/shop/tables/people"
    before = meta.get(table).json()
    doubled = meta.post(f"{table}/fields/city/check", {"name": "town", "unique": True}).json()
    assert doubled["bad"] == [{"ids": [1, 2], "value": '"Berlin"', "reason": "is there 2 times"}]
    assert (doubled["refused"], doubled["readers"][0]["names_it"]) == (1, True)
    assert "there more than once" in doubled["stopped"]
    added = meta.post(f"{table}/new-field/check", {"name": "age", "type": "int"}).json()
    assert (added["stopped"], added["at_once"], added["records"]) == ("", True, 4)
    assert "3 of 4 records hold a value" in meta.post(f"{table}/fields/city/removal/check").json()["steps"][0]
    for address, sent in (
        ("new-field/check", {"name": "city", "type": "text"}),
        ("new-field/check", {"type": "text"}),
        ("new-field/check", {"name": 7, "type": ["text"]}),
        ("fields/city/check", {"name": None}),
        ("fields/city/check", {"name": "name"}),
        ("fields/city/check", {"maks": 3}),
        ("fields/city/check", []),
    ):
        assert meta.post(f"{table}/{address}", sent).status == 400, (address, sent)
    assert meta.post(f"{table}/fields/nothing/check", {}).status == 404
    assert meta.get(table).json() == before
