"""Records through the management API."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.core.handlers.wsgi import WSGIHandler

from stackyard.core.models import Workspace
from stackyard.tables.changes import create_table
from tests import factories
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])

RECORDS = "/api:meta/workspaces/shop/tables/customers/records"


@pytest.fixture
def shop() -> Workspace:
    workspace = factories.make_workspace("shop")
    create_table(
        workspace,
        "customers",
        fields={
            "name": {"type": "text", "required": True},
            "age": "int",
            "email": {"type": "email", "unique": True},
            "pin": {"type": "text", "access": "private"},
        },
    )
    return workspace


@pytest.fixture
def meta(shop: Workspace) -> Door:
    return Door(WSGIHandler()).with_key(factories.make_key(shop, "meta"))


@pytest.fixture
def filled(meta: Door) -> Door:
    """The same door, behind which there are Ann (20), Bob (30) and Cid (40)."""
    items = [{"name": name, "age": age} for name, age in (("Ann", 20), ("Bob", 30), ("Cid", 40))]
    assert meta.post(f"{RECORDS}/bulk", {"items": items}).status == 200
    return meta


def names(answer: Any) -> list[str]:
    assert answer.status == 200, answer.body
    return [item["name"] for item in answer.json()["items"]]


def faults(answer: Any) -> set[str]:
    assert answer.status == 400, answer.body
    return {detail["field"] for detail in answer.error["details"]}


def test_a_record_is_added_shown_changed_replaced_and_deleted(meta: Door) -> None:
    made = meta.post(RECORDS, {"name": "Ann", "age": 20, "pin": "1234"})
    assert made.status == 201, made.body
    url = f"{RECORDS}/{made.json()['id']}"
    shown = meta.get(url).json()
    assert shown == made.json()
    assert (shown["name"], shown["age"]) == ("Ann", 20)
    assert "pin" not in shown
    assert meta.get(f"{url}?fields=name,pin").json() == {"name": "Ann", "pin": "1234"}
    assert meta.patch(url, {"age": 21}).json()["age"] == 21
    assert meta.put(url, {"name": "Anna"}).json()["age"] is None
    assert meta.delete(url).status == 204
    assert meta.get(url).status == 404
    assert meta.patch(url, {"age": 1}).status == 404
    assert meta.delete(url).status == 404


def test_every_fault_of_a_record_is_told_at_once(meta: Door) -> None:
    assert faults(meta.post(RECORDS, {"age": "x", "emial": "a", "id": 5, "email": "no"})) == {
        "name",
        "age",
        "emial",
        "id",
        "email",
    }
    assert meta.get(RECORDS).json()["items"] == []


def test_a_doubled_value_is_a_conflict(meta: Door) -> None:
    meta.post(RECORDS, {"name": "Ann", "email": "a@example.com"})
    answer = meta.post(RECORDS, {"name": "Bob", "email": "a@example.com"})
    assert (answer.status, answer.error["code"]) == (409, "CONFLICT")


def test_a_list_is_a_page_that_is_filtered_and_sorted(filled: Door) -> None:
    page = filled.get(f"{RECORDS}?per_page=2&sort=-age&totals=true").json()
    assert [item["name"] for item in page["items"]] == ["Cid", "Bob"]
    assert (page["itemsTotal"], page["nextPage"]) == (3, 2)
    where = quote(json.dumps({"age": {"$gte": 30}}))
    assert names(filled.get(f"{RECORDS}?where={where}&sort=name")) == ["Bob", "Cid"]


def test_a_search_takes_the_whole_language(filled: Door) -> None:
    found = filled.post(
        f"{RECORDS}/search", {"where": {"$or": [{"name": "Ann"}, {"age": 40}]}, "sort": ["-name"]}
    )
    assert names(found) == ["Cid", "Ann"]
    assert filled.post(f"{RECORDS}/search", {"where": {"age": {"$lt": 25}}, "return": "count"}).json() == 1
    assert filled.post(f"{RECORDS}/search", {"where": {"name": "Bob"}, "return": "exists"}).json() is True
    one = filled.post(f"{RECORDS}/search", {"where": {"name": "Bob"}, "return": "single", "fields": ["name"]})
    assert one.json() == {"name": "Bob"}
    assert names(filled.post(f"{RECORDS}/search", {})) == ["Ann", "Bob", "Cid"]
    asked = {"computed": {"old": "age > 25"}, "group_by": "old", "aggregate": {"n": "count"}, "sort": "n"}
    groups = filled.post(f"{RECORDS}/search", asked).json()
    assert [set(group) for group in groups] == [{"old", "n"}] * len(groups)
    assert sum(group["n"] for group in groups) == 3


def test_pages_follow_by_cursor(filled: Door) -> None:
    page = filled.post(f"{RECORDS}/search", {"per_page": 2, "cursor": "", "sort": "name"}).json()
    seen = [item["name"] for item in page["items"]]
    following = filled.post(
        f"{RECORDS}/search", {"per_page": 2, "cursor": page["nextCursor"], "sort": "name"}
    ).json()
    seen += [item["name"] for item in following["items"]]
    assert seen == ["Ann", "Bob", "Cid"]
    assert following["nextCursor"] is None


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"where": {"nmae": 1}}, "where.nmae"),
        ({"where": {"age": {"$gt": "x"}}}, "where.age"),
        ({"where": {"age": {"$expr": "1"}}}, "where.age"),
        ({"where": 5}, "where"),
        ({"sort": ["nothing"]}, "sort"),
        ({"sort": 5}, "sort"),
        ({"page": "x"}, "page"),
        ({"page": 0}, "page"),
        ({"per_page": 1001}, "per_page"),
        ({"totals": "yes"}, "totals"),
        ({"fields": "name"}, "fields"),
        ({"fields": [5]}, "fields"),
        ({"addons": [{"table": "nothing"}]}, "addons"),
        ({"addons": 5}, "addons"),
        ({"join": [{"table": "nothing"}]}, "join.0.table"),
        ({"computed": {"x": "agee"}}, "computed.x"),
        ({"aggregate": {"x": {"sum": "name"}}}, "aggregate.x.sum"),
        ({"group_by": "nothing"}, "group_by.0"),
        ({"cursor": "garbage"}, "cursor"),
        ({"cursor": 5}, "cursor"),
        ({"return": "all"}, "return"),
        ({"wehre": {}}, "wehre"),
        ({"lock": True}, "lock"),
    ],
)
def test_a_wrong_search_is_refused(filled: Door, asked: Any, field: str) -> None:
    found = faults(filled.post(f"{RECORDS}/search", asked))
    assert any(name.startswith(field) for name in found), found


@pytest.mark.parametrize(
    "query",
    ["where={", "where=%7B%22a%22%3A1%2C%22a%22%3A2%7D", "sort=nothing", "page=x", "fields=nothing", "q=1"],
)
def test_a_wrong_list_is_refused(filled: Door, query: str) -> None:
    assert filled.get(f"{RECORDS}?{query}").status == 400


def test_many_records_change_all_or_none(filled: Door) -> None:
    ids = [item["id"] for item in filled.get(f"{RECORDS}?sort=id").json()["items"]]
    changed = filled.patch(f"{RECORDS}/bulk", {"items": [{"id": ids[0], "age": 1}, {"id": ids[1], "age": 2}]})
    assert [item["age"] for item in changed.json()["items"]] == [1, 2]
    refused = filled.patch(
        f"{RECORDS}/bulk", {"items": [{"id": ids[0], "age": 9}, {"id": ids[1], "age": "x"}]}
    )
    assert faults(refused) == {"1.age"}
    assert filled.get(f"{RECORDS}/{ids[0]}").json()["age"] == 1
    assert filled.put(f"{RECORDS}/bulk", {"items": [{"id": ids[2], "name": "Dan"}]}).status == 200
    assert names(filled.get(f"{RECORDS}?sort=name")) == ["Ann", "Bob", "Dan"]


def test_deleting_many_needs_its_conditions(filled: Door) -> None:
    assert faults(filled.post(f"{RECORDS}/bulk/delete", {})) == {"where"}
    assert filled.post(f"{RECORDS}/bulk/delete", {"where": {"age": {"$gt": 20}}}).json() == {"deleted": 2}
    assert names(filled.get(RECORDS)) == ["Ann"]


@pytest.mark.parametrize("body", [[], "x", 5, None])
def test_what_is_no_record_is_refused(meta: Door, body: Any) -> None:
    assert meta.post(RECORDS, body).status == 400
    assert meta.post(f"{RECORDS}/bulk", body).status == 400
    assert meta.post(f"{RECORDS}/bulk", {"items": body}).status in ((200,) if body == [] else (400,))
    assert meta.post(f"{RECORDS}/bulk", {"items": [body]}).status == 400


def test_numbers_that_no_record_can_have_are_not_found(meta: Door) -> None:
    for number in (0, 2**63, 10**40):
        assert meta.get(f"{RECORDS}/{number}").status in (400, 404)
        assert meta.delete(f"{RECORDS}/{number}").status in (400, 404)


def test_tables_of_another_workspace_are_not_there(filled: Door) -> None:
    other = factories.make_workspace("other")
    door = Door(filled.application).with_key(factories.make_key(other, "meta"))
    assert door.get(RECORDS).status == 404
    assert door.get("/api:meta/workspaces/other/tables/customers/records").status == 404
    assert door.post(f"{RECORDS}/bulk/delete", {"where": {}}).status == 404
    assert len(names(filled.get(RECORDS))) == 3
