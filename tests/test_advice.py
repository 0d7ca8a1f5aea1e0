"""Advice: said in the check, never in the way, and silent when told so."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints import publishing
from stackyard.tables.changes import create_table
from tests import factories
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])


def advised(name: str, mount: str | None = None, **more: Any) -> set[str]:
    group = factories.make_workspace().api_groups.first() or factories.make_group(
        factories.make_workspace("other"), mount=mount
    )
    endpoint = factories.make_endpoint(group, name=name, **more)
    found = publishing.check(endpoint, endpoint.draft).faults
    assert all(fault.level == "warning" for fault in found)
    return {fault.code for fault in found if fault.code.startswith("advice")}


@pytest.mark.parametrize("name", ["api_1", "func2", "untitled", "test_copy", "new"])
def test_a_name_that_tells_nothing_is_published_with_advice(name: str) -> None:
    assert advised(name) == {"advice_name"}


@pytest.mark.parametrize("name", ["get_customer", "test_payment", "api_keys", "newest", "create_order_v2"])
def test_a_name_that_tells_something_is_left_alone(name: str) -> None:
    assert advised(name) == set()


def test_all_advice_and_none(settings: Any) -> None:
    settings.ADVICE = "all"
    assert advised("get_customer") == {"advice_description", "advice_version"}


def test_a_described_endpoint_of_a_version_is_fine(settings: Any) -> None:
    settings.ADVICE = "all"
    assert advised("get_customer", mount="v1", description="One customer by id.") == set()


def test_off_is_off(settings: Any) -> None:
    settings.ADVICE = "off"
    assert advised("api_1") == set()


def test_all_advice_is_the_default() -> None:
    from stackyard import settings as written

    assert written.ADVICE == "all"


KEY = {"idempotency_key": {"type": "text", "in": "header", "required": True}}


@pytest.mark.parametrize(
    ("table", "method", "inputs", "is_advised"),
    [
        ("notes", "POST", {}, True),
        ("notes", "POST", KEY, False),
        ("notes", "POST", {"idempotency_key": "text"}, True),
        ("notes", "PUT", {}, False),
        ("people", "POST", {}, False),
    ],
)
def test_a_post_that_is_done_twice_when_sent_twice(
    settings: Any, table: str, method: str, inputs: dict[str, Any], is_advised: bool
) -> None:
    settings.ADVICE = "all"
    workspace = factories.make_workspace()
    create_table(workspace, "notes", fields={"title": "text"})
    create_table(workspace, "people", fields={"email": {"type": "email", "unique": True}})
    group = factories.make_group(workspace, mount="v1")
    add = {"step": "add_record", "params": {"table": table, "data": {}}}
    lines = [{"step": "condition", "params": {"if": {"$expr": "true"}, "then": [add], "else": []}}]
    document = {"name": "add", "method": method, "path": "/x", "auth": ["public"], "description": "Adds."}
    endpoint = publishing.create_endpoint(group, {**document, "inputs": inputs, "lines": lines})
    found = {fault.code for fault in publishing.check(endpoint, endpoint.draft).faults}
    assert ("advice_idempotency" in found) is is_advised


def test_an_endpoint_can_insist_on_the_key(client: Door) -> None:
    workspace = factories.make_workspace()
    create_table(workspace, "notes", fields={"title": "text"})
    group = factories.make_group(workspace)
    lines = [{"step": "add_record", "params": {"table": "notes", "data": {}}, "as": "note"}]
    response = {"$expr": "note.id"}
    factories.make_endpoint(group, "/notes", "POST", inputs=KEY, lines=lines, response=response)
    refused = client.post("/api:shop/notes", {})
    assert (refused.status, refused.error["code"]) == (400, "INVALID_INPUT")
    sent = [client.post("/api:shop/notes", {}, headers={"Idempotency-Key": "a"}).body for _ in range(2)]
    assert sent == [b"1", b"1"]
    described = client.get("/apispec:shop?type=json").json()["paths"]["/notes"]["post"]["parameters"]
    [parameter] = described
    assert (parameter["name"], parameter["required"]) == ("Idempotency-Key", True)
