"""Calling endpoints, through both doors: what is right, and everything that can be wrong with a request."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from endpoints.groups import edit_group
from endpoints.models import ApiGroup
from endpoints.throttles import forget_all
from stackyard.core.models import Workspace
from tests.doors import Answer, Door
from tests.factories import make_endpoint, make_group, make_key, make_workspace

pytestmark = pytest.mark.django_db(databases=["default", "history"])


def expression(text: str) -> dict[str, str]:
    return {"$expr": text}


def line(step: str, **params: Any) -> dict[str, Any]:
    return {"step": step, "params": params}


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    return make_group(workspace, mount="v1")


def assert_refused(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """The contract's error shape, and nothing else in it."""
    assert (answer.status, answer.error["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"error"}
    assert answer.error.keys() <= {"code", "message", "suggestion", "request_id", "details"}
    assert answer.error["message"]
    assert answer.error["request_id"] == answer.headers["x-request-id"]
    return answer.error


def fields_of(answer: Answer) -> dict[str, str]:
    assert_refused(answer, 400, "INVALID_INPUT")
    return {detail["field"]: detail["code"] for detail in answer.error["details"]}


# What is right


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
    from endpoints.publishing import delete_endpoint, set_active

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
    from endpoints.publishing import publish, save_draft

    endpoint = make_endpoint(group, "/a", response="old")
    assert client.get("/api:shop/a").json() == "old"
    save_draft(endpoint, {**endpoint.draft, "path": "/b", "response": "new"})
    assert client.get("/api:shop/a").json() == "old"
    publish(endpoint)
    assert client.get("/api:shop/b").json() == "new"
    assert client.get("/api:shop/a").status == 404


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
    make_endpoint(group, "/a")

    def broken(*args: Any, **more: Any) -> None:
        raise RuntimeError("the inside of things")

    monkeypatch.setattr("endpoints.calls.measure", broken)
    answer = client.get("/api:shop/a", headers={"X-Request-ID": "look-me-up"})
    error = assert_refused(answer, 500, "INTERNAL_ERROR")
    assert error == {"code": "INTERNAL_ERROR", "message": error["message"], "request_id": "look-me-up"}
    assert "inside" not in answer.body.decode()
    assert "look-me-up" in caplog.text
    assert "the inside of things" in caplog.text


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
