"""Everything that can be wrong with a call, through both doors: the contract's error and status, never a bare 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import OperationalError

from endpoints.models import ApiGroup
from endpoints.throttles import forget_all
from stackyard.core.models import Workspace
from tests.calling import assert_refused, expression, fields_of, line
from tests.doors import Door
from tests.factories import make_endpoint, make_group, make_key, make_workspace

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    return make_group(workspace, mount="v1")


# Wrong paths and methods


@pytest.mark.parametrize(
    "path",
    [
        "/api:shop/b",
        "/api:shop",
        "/api:nobody/a",
        "/api:SHOP/a",
        "/api:shop;x/a",
        "/api/v9/a",
        "/api/",
        "/api:shop/a/b",
        "/api:shop/%61%2Fx",
    ],
)
def test_an_unknown_address_is_404(client: Door, group: ApiGroup, path: str) -> None:
    make_endpoint(group, "/a")
    assert_refused(client.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    [
        "/a//b",
        "//a",
        "/a/../a",
        "/a/%2e%2e/a",
        "/./a",
        "/%00",
        "/a%0d%0aX:1",
        "/a%5cb",
        "/%FF",
        "/%ED%A0%80",
        "/%7f",
    ],
)
def test_a_path_in_no_normal_form_is_400(client: Door, group: ApiGroup, path: str) -> None:
    make_endpoint(group, "/{x}", inputs={"x": "text"}, response=expression("input.x"))
    assert_refused(client.get("/api:shop" + path), 400, "INVALID_INPUT")


def test_a_path_is_decoded_exactly_once(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/{x}", inputs={"x": "text"}, response=expression("input.x"))
    assert client.get("/api:shop/%252e%252e").json() == "%2e%2e"
    assert client.get("/api:shop/%C3%A9").json() == "\u00e9"
    assert client.get("/api:shop/e%CC%81").json() == "\u00e9"


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "TRACE", "BREW"])
def test_a_known_path_with_another_method_is_405(client: Door, group: ApiGroup, method: str) -> None:
    make_endpoint(group, "/a")
    make_endpoint(group, "/a", "PUT")
    answer = client.request(method, "/api:shop/a")
    assert_refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET, HEAD, PUT, OPTIONS"
    assert_refused(client.request(method, "/api:shop/b"), 404, "NOT_FOUND")


# Wrong bodies


@pytest.fixture
def poster(group: ApiGroup) -> str:
    """The URL of an endpoint that takes anything and gives it back."""
    make_endpoint(
        group,
        "/echo",
        "POST",
        inputs={"v": {"type": "json", "nullable": True}},
        response=expression("input"),
        request_bytes=100_000,
    )
    return "/api:shop/echo"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'v': 1}",
        b'{"v": 1, "v": 2}',
        b'{"v": NaN}',
        b'{"v": Infinity}',
        b'{"v": 1e999}',
        b'{"v": 123456789012345678901234567890}',
        b'{"v": "\xff"}',
        b'{"v": "\\ud800"}',
        b'{"v": "\\u0000"}',
        b'{"v": ' + b"[" * 64 + b"]" * 64 + b"}",
        b"[" * 50_000,
        b'{"a":' * 10_000,
        '{"v": 1}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_bad_json_is_400(client: Door, poster: str, body: bytes, chunked: bool) -> None:
    answer = client.post(poster, body=body, chunked=chunked, headers={"Content-Type": "application/json"})
    assert_refused(answer, 400, "INVALID_JSON")


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null"])
def test_a_body_that_is_no_object_is_400(client: Door, poster: str, body: bytes) -> None:
    answer = client.post(poster, body=body, headers={"Content-Type": "application/json"})
    assert_refused(answer, 400, "INVALID_INPUT")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/xml"},
        {"Content-Type": "application/json; charset=utf-7"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_another_media_type_is_415(client: Door, poster: str, headers: dict[str, str]) -> None:
    assert_refused(client.post(poster, body=b"{}", headers=headers), 415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_body_past_the_limit_is_413(client: Door, poster: str) -> None:
    padding = b" " * (100_000 - 2)
    for chunked in (False, True):
        headers = {"Content-Type": "application/json"}
        assert client.post(poster, body=b"{}" + padding, chunked=chunked, headers=headers).status == 200
        answer = client.post(poster, body=b"{}" + padding + b" ", chunked=chunked, headers=headers)
        assert_refused(answer, 413, "PAYLOAD_TOO_LARGE")


def test_ten_megabytes_and_one_are_too_many(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/big", "POST", inputs={"v": "text"}, response=expression("input.v | strlen"))
    fits = json.dumps({"v": "x" * (10_000_000 - 9)}).encode()
    assert len(fits) == 10_000_000
    for chunked in (False, True):
        headers = {"Content-Type": "application/json"}
        assert client.post("/api:shop/big", body=fits, headers=headers, chunked=chunked).status == 200
        answer = client.post("/api:shop/big", body=fits + b" ", headers=headers, chunked=chunked)
        assert_refused(answer, 413, "PAYLOAD_TOO_LARGE")


def test_a_length_that_lies_is_400(client: Door, poster: str) -> None:
    answer = client.post(poster, body=b"{}", headers={"Content-Length": "20"})
    assert_refused(answer, 400, "INVALID_INPUT")
    assert_refused(client.post(poster, body=b"{}", headers={"Content-Length": "x"}), 400, "INVALID_INPUT")


def test_an_empty_body_brings_no_inputs(client: Door, poster: str) -> None:
    assert client.post(poster, headers={"Content-Type": "application/json"}).json() == {}


# Wrong values


def test_all_faults_come_at_once(client: Door, group: ApiGroup) -> None:
    inputs = {
        "id": "int",
        "n": "int",
        "m": {"type": "email", "required": True},
        "o": {"type": "object", "fields": {"a": "int"}},
    }
    make_endpoint(group, "/a/{id}", "POST", inputs=inputs)
    answer = client.post("/api:shop/a/abc?n=3", json={"n": "x", "o": {"a": "y", "b": 1}, "extra": 1})
    assert fields_of(answer) == {
        "id": "type",
        "n": "type",
        "m": "required",
        "o.a": "type",
        "o.b": "unknown",
        "extra": "unknown",
    } | {"n": "type"}
    places = [d for d in answer.error["details"] if d["code"] == "place"]
    assert [d["field"] for d in places] == ["n"]
    assert 'expected an integer, got "abc"' in [d["message"] for d in answer.error["details"]]


def test_a_group_may_ignore_what_it_does_not_know(client: Door, workspace: Workspace) -> None:
    group = make_group(workspace, unknown_inputs="ignore")
    make_endpoint(group, "/a", "POST", inputs={"n": "int"}, response=expression("input"))
    assert client.post("/api:shop/a?utm=1", json={"n": 1, "more": 2}).json() == {"n": 1}


@pytest.mark.parametrize("query", ["n=%FF", "n=%00", "n=1&n=2", "n=abc", "x=1", "n=99999999999999999999"])
def test_a_bad_query_is_400(client: Door, group: ApiGroup, query: str) -> None:
    make_endpoint(group, "/a", inputs={"n": "int"})
    assert_refused(client.get(f"/api:shop/a?{query}"), 400, "INVALID_INPUT")


# Wrong callers


def test_a_key_opens_its_workspace_only(client: Door, workspace: Workspace, group: ApiGroup) -> None:
    make_endpoint(group, "/a", auth=["api_key"], response=expression("auth.kind"))
    key = make_key(workspace)
    assert client.with_key(key).get("/api:shop/a").json() == "api_key"
    assert client.get("/api:shop/a", headers={"Authorization": f"Bearer {key}"}).json() == "api_key"
    assert client.get("/api:shop/a", headers={"Authorization": f"bearer {key}"}).status == 200
    foreign = make_key(make_workspace("other"))
    for headers in (
        {},
        {"X-API-Key": foreign},
        {"X-API-Key": key[:-1] + ("A" if key[-1] != "A" else "B")},
        {"X-API-Key": ""},
        {"X-API-Key": "\u00e9" * 10},
        {"Authorization": f"Bearer {foreign}"},
        {"Authorization": "Bearer x.y.z"},
        {"Authorization": f"Basic {key}"},
    ):
        answer = client.get("/api:shop/a", headers=headers)
        assert_refused(answer, 401, "UNAUTHORIZED")
        assert answer.headers["www-authenticate"]
    assert client.get(f"/api:shop/a?api_key={key}").status == 401


def test_scopes_say_what_a_key_may_call(client: Door, workspace: Workspace, group: ApiGroup) -> None:
    make_endpoint(group, "/a", name="read_a", auth=["api_key"])
    make_endpoint(group, "/a", "POST", name="write_a", auth=["api_key"])
    table = {
        "*": (200, 200),
        "shop": (200, 200),
        "shop:read": (200, 403),
        "shop/write_a": (403, 200),
        "other": (403, 403),
        "meta": (403, 403),
    }
    for scope, (get, post) in table.items():
        door = client.with_key(make_key(workspace, scope))
        assert (door.get("/api:shop/a").status, door.post("/api:shop/a").status) == (get, post), scope
        assert door.request("HEAD", "/api:shop/a").status == get
    assert_refused(client.with_key(make_key(workspace, "meta")).get("/api:shop/a"), 403, "ACCESS_DENIED")


def test_public_beside_another_method_makes_it_optional(
    client: Door, workspace: Workspace, group: ApiGroup
) -> None:
    make_endpoint(group, "/a", auth=["public", "api_key"], response=expression("auth.kind"))
    assert client.get("/api:shop/a").json() == "anonymous"
    assert client.with_key(make_key(workspace)).get("/api:shop/a").json() == "api_key"
    assert_refused(client.with_key("sy_wrong").get("/api:shop/a"), 401, "UNAUTHORIZED")
    assert_refused(client.get("/api:shop/a", headers={"Authorization": "Bearer x"}), 401, "UNAUTHORIZED")


def test_the_caller_is_asked_before_the_inputs_are_read(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a", "POST", auth=["api_key"])
    assert_refused(client.post("/api:shop/a", body=b"{"), 401, "UNAUTHORIZED")


# What goes wrong in a stack


def test_a_stack_raises_its_own_problem(client: Door, group: ApiGroup) -> None:
    lines = [
        line(
            "precondition",
            **{
                "if": False,
                "status": 404,
                "code": "CUSTOMER_NOT_FOUND",
                "message": "No customer found with ID 123",
            },
            suggestion="Please check the customer ID and try again",
        )
    ]
    make_endpoint(group, "/a", lines=lines)
    error = assert_refused(client.get("/api:shop/a"), 404, "CUSTOMER_NOT_FOUND")
    assert error["message"] == "No customer found with ID 123"
    assert error["suggestion"] == "Please check the customer ID and try again"


def test_a_stack_that_takes_too_long_is_504(client: Door, group: ApiGroup) -> None:
    sort = line("set_variable", name="x", value=expression("list | sort"))
    lines = [
        line("set_variable", name="list", value=list(range(1000))),
        line("while", **{"if": True, "do": [sort]}),
    ]
    make_endpoint(group, "/a", lines=lines, timeout_seconds=1)
    assert_refused(client.get("/api:shop/a"), 504, "TIMEOUT")


def test_an_answer_past_its_limit_is_500_and_never_cut(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a", response="x" * 998, response_bytes=1000)
    make_endpoint(group, "/b", response="x" * 999, response_bytes=1000)
    assert client.get("/api:shop/a").status == 200
    assert_refused(client.get("/api:shop/b"), 500, "RESPONSE_TOO_LARGE")


def test_an_answer_of_shared_references_cannot_explode(client: Door, group: ApiGroup) -> None:
    doubling = line("set_variable", name="x", value=expression("[x, x]"))
    lines = [line("set_variable", name="x", value=[1]), line("for", count=60, do=[doubling])]
    make_endpoint(group, "/a", lines=lines, response=expression("x"))
    assert_refused(client.get("/api:shop/a"), 500, "RESPONSE_TOO_LARGE")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Set-Cookie", "a=1"),
        ("Content-Length", "1"),
        ("Transfer-Encoding", "x"),
        ("Access-Control-Allow-Origin", "*"),
        ("X-Request-ID", "x"),
        ("X-A", "a\r\nSet-Cookie: b"),
        ("X-A\r\n", "a"),
        ("X-A", "\u20ac"),
        ("", "x"),
        ("X A", "x"),
    ],
)
def test_headers_that_are_not_a_stacks_to_set_are_refused(
    client: Door, group: ApiGroup, name: str, value: str
) -> None:
    make_endpoint(group, "/a", lines=[line("set_header", name=name, value=value)])
    answer = client.get("/api:shop/a")
    assert_refused(answer, 500, "HEADER_REFUSED")
    assert "set-cookie" not in answer.headers


def test_an_error_of_ours_tells_nothing_but_its_id(
    client: Door, group: ApiGroup, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_endpoint(group, "/a", response=expression("[1]"))

    def broken(*args: Any, **more: Any) -> None:
        raise RuntimeError("the inside of things")

    monkeypatch.setattr("endpoints.calls.measure", broken)
    answer = client.get("/api:shop/a", headers={"X-Request-ID": "look-me-up"})
    error = assert_refused(answer, 500, "INTERNAL_ERROR")
    assert error == {"code": "INTERNAL_ERROR", "message": error["message"], "request_id": "look-me-up"}
    assert "inside" not in answer.body.decode()
    assert "look-me-up" in caplog.text
    assert "the inside of things" in caplog.text


def test_a_database_that_is_away_is_503(
    client: Door, group: ApiGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_endpoint(group, "/a")

    def away(*args: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("endpoints.calls.find", away)
    answer = client.get("/api:shop/a")
    assert_refused(answer, 503, "BUSY")
    assert answer.headers["retry-after"] == "1"
    assert "unexpectedly" not in answer.body.decode()


# How often


def test_one_call_too_many_is_429(client: Door, group: ApiGroup, settings: Any) -> None:
    settings.WEB_PROCESSES = 1
    forget_all()
    make_endpoint(group, "/a", limit_per_second=3)
    make_endpoint(group, "/b", limit_per_second=3)
    answers = [client.get("/api:shop/a") for _ in range(20)]
    assert 3 <= sum(answer.status == 200 for answer in answers) <= 7
    last = next(answer for answer in answers if answer.status == 429)
    assert_refused(last, 429, "TOO_MANY_REQUESTS")
    assert last.headers["retry-after"] == "1"
    assert last.headers["ratelimit-policy"] == '"default";q=3;w=1'
    assert last.headers["ratelimit"] == '"default";r=0;t=1'
    assert client.get("/api:shop/b").status == 200
