"""API groups, endpoints, keys and the request history through the management API."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from auth.keys import create_key
from auth.models import ApiKey
from endpoints.models import ApiGroup, Endpoint, HistoryEntry
from stackyard.core.models import Workspace
from stackyard.tables.changes import create_table
from tests import factories
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])

ONE = "/api:meta/workspaces/shop"
GROUPS = f"{ONE}/groups"
ENDPOINTS = f"{GROUPS}/shop/endpoints"
HELLO = {
    "name": "hello",
    "method": "GET",
    "path": "/hello/{name}",
    "description": "Greets.",
    "auth": ["public"],
    "inputs": {"name": {"type": "text"}},
    "response": {"$expr": '"Hello " ~ input.name'},
    "stack": [],
}


@pytest.fixture
def shop() -> Workspace:
    return factories.make_workspace("shop")


@pytest.fixture
def meta(shop: Workspace) -> Door:
    return Door(WSGIHandler()).with_key(create_key(shop, "manager", ["meta"])[1])


@pytest.fixture
def made(meta: Door) -> Door:
    """The same door, behind which the group `shop` has the endpoint `hello`, published."""
    assert meta.post(GROUPS, {"name": "shop", "canonical": "shop", "mount": "v1"}).status == 201
    assert meta.post(ENDPOINTS, HELLO).status == 201
    assert meta.post(f"{ENDPOINTS}/hello/publish").status == 200
    return meta


def fields(answer: Any) -> set[str]:
    assert answer.status == 400, answer.body
    return {detail["field"] for detail in answer.error["details"]}


def test_a_group_is_made_with_an_address_of_its_own(meta: Door) -> None:
    made = meta.post(GROUPS, {"name": "shop"})
    assert made.status == 201, made.body
    assert len(made.json()["canonical"]) == 8
    assert made.json()["mount"] is None
    assert meta.get(f"{GROUPS}/shop").json() == made.json()


def test_a_group_is_changed(made: Door) -> None:
    made.post(GROUPS, {"name": "shop-v2", "mount": "v2"})
    sent = {
        "docs": "token",
        "cors": {"origins": ["https://app.example.com"]},
        "deprecated_at": "2026-01-01T00:00:00Z",
        "sunset_at": 1798761600000,
        "successor": "shop-v2",
    }
    changed = made.patch(f"{GROUPS}/shop", sent)
    assert changed.status == 200, changed.body
    shown = changed.json()
    assert shown["successor"] == "shop-v2"
    assert shown["deprecated_at"] == "2026-01-01T00:00:00.000Z"
    assert shown["sunset_at"] == "2027-01-01T00:00:00.000Z"
    assert len(shown["docs_token"]) >= 30
    assert made.patch(f"{GROUPS}/shop", {"successor": None}).json()["successor"] is None


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": "Not a name"}, "name"),
        ({"name": "meta"}, "name"),
        ({"canonical": "meta"}, "canonical"),
        ({"canonical": "a b"}, "canonical"),
        ({"mount": "/v1/"}, "mount"),
        ({"mount": "v2"}, "mount"),
        ({"docs": "maybe"}, "docs"),
        ({"active": "yes"}, "active"),
        ({"deprecated_at": "2026-01-01"}, "deprecated_at"),
        ({"deprecated_at": "2026-01-01T00:00:00Z", "sunset_at": "2025-01-01T00:00:00Z"}, "sunset_at"),
        ({"successor": "shop"}, "successor"),
        ({"successor": "nothing"}, "successor"),
        ({"successor": 5}, "successor"),
        ({"created_at": "2026-01-01T00:00:00Z"}, "created_at"),
        ({"cors": {"orgins": []}}, "cors.orgins"),
    ],
)
def test_a_wrong_group_is_refused(made: Door, sent: dict[str, Any], field: str) -> None:
    made.post(GROUPS, {"name": "second", "mount": "v2"})
    before = made.get(f"{GROUPS}/shop").json()
    assert field in fields(made.patch(f"{GROUPS}/shop", sent))
    assert made.get(f"{GROUPS}/shop").json() == before


def test_a_group_is_deleted_with_its_endpoints(made: Door) -> None:
    assert made.delete(f"{GROUPS}/shop").status == 204
    assert made.get(ENDPOINTS).status == 404
    assert not Endpoint.objects.exists()


def test_an_endpoint_is_made_published_and_shown(made: Door) -> None:
    shown = made.get(f"{ENDPOINTS}/hello").json()
    assert (shown["method"], shown["path"], shown["published"]) == ("GET", "/hello/{name}", 1)
    assert (shown["active"], shown["has_changes"]) == (True, False)
    assert [item["name"] for item in made.get(ENDPOINTS).json()["items"]] == ["hello"]
    draft = made.get(f"{ENDPOINTS}/hello/draft?form=spelled").json()["document"]
    assert {key: draft[key] for key in HELLO if key != "stack"} == {
        key: HELLO[key] for key in HELLO if key != "stack"
    }


def test_all_faults_of_an_endpoints_document_are_told(made: Door) -> None:
    faulty = {
        **HELLO,
        "method": "FETCH",
        "auth": ["password"],
        "limit_per_second": 0,
        "response": {"$expr": "x"},
    }
    faults = made.post(f"{ENDPOINTS}/hello/check", faulty).json()["faults"]
    assert {fault["path"][0] for fault in faults} >= {"method", "auth", "limit_per_second", "response"}


def test_two_endpoints_cannot_answer_the_same_address(made: Door) -> None:
    twin = {**HELLO, "name": "twin", "path": "/hello/{other}", "inputs": {"other": "text"}, "response": None}
    assert made.post(ENDPOINTS, twin).status == 201
    refused = made.post(f"{ENDPOINTS}/twin/publish")
    assert "path" in fields(refused)


def test_an_endpoint_is_tried_before_it_is_published(made: Door) -> None:
    draft = {**HELLO, "response": {"$expr": 'request.method ~ " " ~ input.name'}}
    run = made.post(f"{ENDPOINTS}/hello/run", {"inputs": {"name": "Ann"}, "document": draft})
    assert run.json()["response"] == "GET Ann", run.body


def test_an_endpoint_is_switched_off_and_deleted(made: Door) -> None:
    assert made.patch(f"{ENDPOINTS}/hello", {"active": False}).json()["active"] is False
    assert fields(made.patch(f"{ENDPOINTS}/hello", {"path": "/x"})) == {"path"}
    assert made.delete(f"{ENDPOINTS}/hello").status == 204
    assert made.get(f"{ENDPOINTS}/hello").status == 404


def test_another_workspaces_groups_are_not_there(made: Door) -> None:
    other = factories.make_workspace("other")
    door = Door(made.application).with_key(create_key(other, "manager", ["meta"])[1])
    for url in (GROUPS, f"{GROUPS}/shop", ENDPOINTS, f"{ENDPOINTS}/hello", f"{ENDPOINTS}/hello/draft"):
        assert door.get(url).status == 404
    assert door.delete(f"{GROUPS}/shop").status == 404
    assert ApiGroup.objects.count() == 1


def test_a_blueprint_makes_endpoints_for_a_table(made: Door, shop: Workspace) -> None:
    create_table(shop, "customers", fields={"name": {"type": "text", "required": True}})
    blueprints = [item["name"] for item in made.get("/api:meta/blueprints").json()["items"]]
    assert "crud" in blueprints
    used = made.post(f"{GROUPS}/shop/blueprints", {"blueprint": "crud", "table": "customers"})
    assert used.status == 200, used.body
    paths = {(one["method"], one["path"]) for one in used.json()["endpoints"]}
    assert ("GET", "/customers") in paths
    assert all(one["published"] == 1 for one in used.json()["endpoints"])
    again = made.post(f"{GROUPS}/shop/blueprints", {"blueprint": "crud", "table": "customers"})
    assert again.json() == {"endpoints": []}
    assert made.post(f"{GROUPS}/shop/blueprints", {"blueprint": "crdu", "table": "customers"}).status == 400
    assert made.post(f"{GROUPS}/shop/blueprints", {"blueprint": "crud", "table": "nothing"}).status == 400


KEYS = f"{ONE}/keys"


def test_a_key_is_shown_once_and_stored_as_a_digest(meta: Door) -> None:
    made = meta.post(KEYS, {"name": "n8n", "scopes": ["shop:read"], "expires_at": "2999-01-01T00:00:00Z"})
    assert made.status == 201, made.body
    text = made.json()["key"]
    assert text.startswith(made.json()["prefix"])
    assert text not in str(list(ApiKey.objects.values()))
    shown = meta.get(f"{KEYS}/{made.json()['id']}")
    assert text.encode() not in shown.body
    assert shown.json()["scopes"] == ["shop:read"]
    assert text.encode() not in meta.get(KEYS).body


def test_a_key_may_call_everything_unless_it_says_otherwise(meta: Door) -> None:
    assert meta.post(KEYS, {"name": "all"}).json()["scopes"] == ["*"]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": "x", "scopes": ["a b"]}, "scopes"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": "*"}, "scopes"),
        ({"name": "x", "scopes": [1]}, "scopes.0"),
        ({"name": "x", "expires_at": "soon"}, "expires_at"),
        ({"name": ""}, "name"),
        ({"name": "x", "prefix": "sy_"}, "prefix"),
        ({"name": "x", "scopes": ["meta"]}, "scopes"),
    ],
)
def test_a_wrong_key_is_refused(meta: Door, sent: dict[str, Any], field: str) -> None:
    assert field in fields(meta.post(KEYS, sent))
    assert ApiKey.objects.count() == 1


def test_a_revoked_key_stays_in_the_list_and_opens_nothing(meta: Door, shop: Workspace) -> None:
    key, text = create_key(shop, "second", ["meta"])
    second = Door(meta.application).with_key(text)
    assert second.get("/api:meta/me").json() == {
        "kind": "api_key",
        "label": "second",
        "workspace": "shop",
        "scopes": ["meta"],
    }
    assert meta.delete(f"{KEYS}/{key.pk}").status == 204
    assert second.get("/api:meta/me").status == 401
    assert meta.get(f"{KEYS}/{key.pk}").json()["revoked_at"]


def test_keys_of_another_workspace_cannot_be_revoked(meta: Door) -> None:
    key, _ = create_key(factories.make_workspace("other"), "theirs")
    assert meta.delete(f"{KEYS}/{key.pk}").status == 404
    key.refresh_from_db()
    assert key.revoked_at is None


HISTORY = f"{ONE}/history"


def call(workspace: Workspace, endpoint: Endpoint | None = None, **more: Any) -> HistoryEntry:
    return HistoryEntry.objects.create(
        **{
            "workspace_id": workspace.pk,
            "group_id": endpoint.group_id if endpoint else 0,
            "endpoint_id": endpoint.pk if endpoint else 0,
            "request_id": "r",
            "method": "GET",
            "path": "/hello",
            "status": 200,
            "duration_us": 1500,
            "created_at": 1_767_225_600_123,
            **more,
        }
    )


def test_the_history_is_paged_by_cursor_newest_first(meta: Door, shop: Workspace) -> None:
    ids = [call(shop).pk for _ in range(5)]
    call(factories.make_workspace("other"))
    first = meta.get(f"{HISTORY}?per_page=2").json()
    assert [item["id"] for item in first["items"]] == ids[:-3:-1]
    assert first["items"][0]["created_at"] == "2026-01-01T00:00:00.123Z"
    assert first["items"][0]["milliseconds"] == 1.5
    assert "request_body" not in first["items"][0]
    seen = [item["id"] for item in first["items"]]
    while (cursor := first["nextCursor"]) is not None:
        first = meta.get(f"{HISTORY}?per_page=2&cursor={cursor}").json()
        seen += [item["id"] for item in first["items"]]
    assert seen == ids[::-1]


def test_the_history_is_filtered(made: Door, shop: Workspace) -> None:
    endpoint = Endpoint.objects.get()
    good = call(shop, endpoint)
    bad = call(shop, endpoint, status=404, method="POST", request_id="other", created_at=1_900_000_000_000)
    stranger = call(shop)

    def found(query: str) -> list[int]:
        answer = made.get(f"{HISTORY}?{query}")
        assert answer.status == 200, answer.body
        return [item["id"] for item in answer.json()["items"]]

    assert found("group=shop&endpoint=hello") == [bad.pk, good.pk]
    assert found("group=shop") == [bad.pk, good.pk]
    assert found("status=404") == [bad.pk]
    assert found("failed=true") == [bad.pk]
    assert found("failed=false") == [stranger.pk, good.pk]
    assert found("method=POST") == [bad.pk]
    assert found("request_id=other") == [bad.pk]
    assert found("since=2027-01-01T00:00:00Z") == [bad.pk]
    assert found("until=2027-01-01T00:00:00Z") == [stranger.pk, good.pk]


def test_a_call_is_shown_with_its_bodies(meta: Door, shop: Workspace) -> None:
    entry = call(shop, request_body='{"a": 1}', response_body="<script>")
    shown = meta.get(f"{HISTORY}/{entry.pk}").json()
    assert (shown["request_body"], shown["response_body"]) == ('{"a": 1}', "<script>")
    theirs = call(factories.make_workspace("other"))
    assert meta.get(f"{HISTORY}/{theirs.pk}").status == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("endpoint=hello", 400),
        ("group=nothing", 404),
        ("status=x", 400),
        ("method=get", 400),
        ("since=yesterday", 400),
        ("cursor=0", 400),
        ("cursor=99999999999999999999", 400),
        ("page=2", 400),
    ],
)
def test_a_wrong_question_to_the_history_is_refused(meta: Door, query: str, status: int) -> None:
    assert meta.get(f"{HISTORY}?{query}").status == status
