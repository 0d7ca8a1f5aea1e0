"""Calling endpoints as they are meant to be called, through both doors."""

from __future__ import annotations

import re

import pytest

from endpoints.groups import edit_group
from endpoints.models import ApiGroup
from endpoints.publishing import delete_endpoint, publish, save_draft, set_active
from stackyard.core.models import Workspace
from tests.calling import assert_refused, expression, fields_of, line
from tests.doors import Door
from tests.factories import make_endpoint, make_group

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    return make_group(workspace, mount="v1")


def test_an_endpoint_answers_at_both_addresses(client: Door, group: ApiGroup) -> None:
    make_endpoint(
        group, "/hello/{name}", inputs={"name": "text"}, response=expression('"Hello " ~ input.name')
    )
    for address in ("/api:shop/hello/Ann", "/api/v1/hello/Ann", "/api:shop/hello/Ann/"):
        answer = client.get(address)
        assert (answer.status, answer.json()) == (200, "Hello Ann")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_inputs_come_from_the_path_and_the_body(client: Door, group: ApiGroup, method: str) -> None:
    make_endpoint(group, "/a/{id}", method, inputs={"id": "int", "n": "int"}, response=expression("input"))
    assert client.request(method, "/api:shop/a/7", json={"n": 3}).json() == {"id": 7, "n": 3}


def test_get_reads_the_query_and_delete_reads_both(client: Door, group: ApiGroup) -> None:
    inputs = {"ids": {"type": "int", "list": True}, "n": "int"}
    make_endpoint(group, "/a", inputs=inputs, response=expression("input"))
    make_endpoint(group, "/a", "DELETE", inputs=inputs, response=expression("input"))
    for query in ("ids=1&ids=2&n=3", "ids[]=1&ids[]=2&n=3", "ids%5B%5D=1&ids%5B%5D=2&n=3"):
        assert client.get(f"/api:shop/a?{query}").json() == {"ids": [1, 2], "n": 3}
    assert client.get("/api:shop/a?ids=1").json() == {"ids": [1]}
    assert client.delete("/api:shop/a?n=3", json={"ids": [1]}).json() == {"n": 3, "ids": [1]}
    assert fields_of(client.delete("/api:shop/a?n=3", json={"n": 4})) == {"n": "place"}


def test_forms_are_read_as_well_as_json(client: Door, group: ApiGroup) -> None:
    make_endpoint(
        group,
        "/a",
        "POST",
        inputs={"n": "int", "t": {"type": "text", "list": True}},
        response=expression("input"),
    )
    form = client.post(
        "/api:shop/a", body=b"n=3&t[]=x&t[]=y", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert form.json() == {"n": 3, "t": ["x", "y"]}
    parts = b'--c\r\nContent-Disposition: form-data; name="n"\r\n\r\n3\r\n--c--\r\n'
    multi = client.post(
        "/api:shop/a", body=parts, headers={"Content-Type": "multipart/form-data; boundary=c"}
    )
    assert multi.json() == {"n": 3}


def test_an_input_can_be_a_header(client: Door, group: ApiGroup) -> None:
    inputs = {"x_signature": {"type": "text", "in": "header", "required": True}}
    make_endpoint(group, "/a", "POST", inputs=inputs, response=expression("input.x_signature"))
    assert client.post("/api:shop/a", headers={"X-Signature": "abc"}).json() == "abc"
    assert fields_of(client.post("/api:shop/a")) == {"x_signature": "required"}


def test_a_chunked_body_is_read(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a", "POST", inputs={"n": "int"}, response=expression("input.n"))
    assert client.post("/api:shop/a", json={"n": 3}, chunked=True).json() == 3


def test_no_response_is_null_and_never_an_empty_body(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a")
    answer = client.get("/api:shop/a")
    assert (answer.status, answer.body) == (200, b"null")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == "4"


def test_a_stack_sets_status_and_headers(client: Door, group: ApiGroup) -> None:
    lines = [line("set_status", status=201), line("set_header", name="Location", value="/things/1")]
    make_endpoint(group, "/a", "POST", lines=lines, response={"id": 1})
    answer = client.post("/api:shop/a")
    assert (answer.status, answer.headers["location"], answer.json()) == (201, "/things/1", {"id": 1})


def test_text_of_another_type_leaves_as_it_is(client: Door, group: ApiGroup) -> None:
    lines = [line("set_header", name="Content-Type", value="text/html; charset=utf-8")]
    make_endpoint(group, "/a", lines=lines, response="<b>h\u00e9</b>")
    answer = client.get("/api:shop/a")
    assert answer.body == "<b>h\u00e9</b>".encode()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(client: Door, group: ApiGroup, status: int) -> None:
    make_endpoint(group, "/a", lines=[line("set_status", status=status)], response="x")
    answer = client.get("/api:shop/a")
    assert (answer.status, answer.body) == (status, b"")


def test_head_answers_as_get_without_a_body(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a", response="x" * 100)
    answer = client.request("HEAD", "/api:shop/a")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "102")


def test_options_tells_the_methods_and_asks_for_no_key(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a", auth=["api_key"])
    make_endpoint(group, "/a", "POST", auth=["api_key"])
    answer = client.request("OPTIONS", "/api:shop/a")
    assert (answer.status, answer.headers["allow"]) == (204, "GET, HEAD, POST, OPTIONS")
    assert_refused(client.request("OPTIONS", "/api:shop/b"), 404, "NOT_FOUND")


def test_a_request_id_is_kept_or_made(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a", response=1)
    assert client.get("/api:shop/a", headers={"X-Request-ID": "abc-123"}).headers["x-request-id"] == "abc-123"
    for bad in ("a b", "x" * 65, "<script>", ""):
        made = client.get("/api:shop/a", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert made != bad
        assert re.fullmatch(r"[A-Za-z0-9_-]{20,64}", made)


def test_every_answer_is_safe_to_open(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a")
    for path in ("/api:shop/a", "/api:shop/b", "/api:nobody/a", "/api:shop//"):
        answer = client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"


def test_a_group_may_answer_in_epoch_milliseconds(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a", inputs={"at": "timestamp"}, response=expression("input.at"))
    url = "/api:shop/a?at=2026-01-23T10:00:00.123Z"
    assert client.get(url).json() == "2026-01-23T10:00:00.123Z"
    edit_group(group, timestamps="epoch_ms")
    assert client.get(url).json() == 1769162400123


def test_a_version_tells_of_its_end_and_its_successor(
    client: Door, workspace: Workspace, group: ApiGroup
) -> None:
    newer = make_group(workspace, "shop-v2", mount="v2")
    make_endpoint(group, "/a")
    make_endpoint(newer, "/a")
    edit_group(group, deprecated_at="2026-01-01T00:00:00Z", sunset_at="2027-01-01T00:00:00Z", successor=newer)
    answer = client.get("/api/v1/a")
    assert answer.headers["deprecation"] == "@1767225600"
    assert answer.headers["sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"
    assert answer.headers["link"].endswith('/api/v2>; rel="successor-version"')
    assert "deprecation" not in client.get("/api/v2/a").headers


def test_the_longest_mount_wins(client: Door, workspace: Workspace) -> None:
    outer, inner = make_group(workspace, "a", mount="help"), make_group(workspace, "b", mount="help/v1")
    make_endpoint(outer, "/v1/x", response="outer")
    make_endpoint(outer, "/y", response="outer")
    make_endpoint(inner, "/x", response="inner")
    assert client.get("/api/help/v1/x").json() == "inner"
    assert client.get("/api/help/y").json() == "outer"


def test_what_is_switched_off_is_not_there(client: Door, group: ApiGroup) -> None:
    endpoint = make_endpoint(group, "/a")
    set_active(endpoint, False)
    assert_refused(client.get("/api:shop/a"), 404, "NOT_FOUND")
    set_active(endpoint, True)
    assert client.get("/api:shop/a").status == 200
    edit_group(group, active=False)
    assert_refused(client.get("/api:shop/a"), 404, "NOT_FOUND")
    edit_group(group, active=True)
    delete_endpoint(endpoint)
    assert_refused(client.get("/api:shop/a"), 404, "NOT_FOUND")


def test_a_published_change_holds_for_the_next_call(client: Door, group: ApiGroup) -> None:
    endpoint = make_endpoint(group, "/a", response="old")
    assert client.get("/api:shop/a").json() == "old"
    save_draft(endpoint, {**endpoint.draft, "path": "/b", "response": "new"})
    assert client.get("/api:shop/a").json() == "old"
    publish(endpoint)
    assert client.get("/api:shop/b").json() == "new"
    assert client.get("/api:shop/a").status == 404
