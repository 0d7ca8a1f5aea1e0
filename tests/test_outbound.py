"""Requests to other servers: what is sent, what comes back, and what each kind of failure is."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from stackyard.core.errors import Problem
from stackyard.core.outbound import request
from tests.outside import OTHER, Answer, Outside, Received, Server

API = "http://api.example"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def api(outside: Outside) -> Server:
    """A server that answers with what it got, as JSON."""
    return outside.serve("api.example", _echo)


def _echo(received: Received) -> Answer:
    body = {
        "method": received.method,
        "path": received.path,
        "headers": dict(received.headers),
        "body": received.body.decode("latin-1"),
    }
    return Answer(200, json.dumps(body).encode(), JSON)


def sent(*arguments: Any, **options: Any) -> Any:
    """What the echoing server got."""
    return request(*arguments, **options).parsed()


def problem(*arguments: Any, **options: Any) -> Problem:
    """The Problem a request ends in."""
    with pytest.raises(Problem) as caught:
        request(*arguments, **options)
    return caught.value


# What is sent


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_is_sent(api: Server, method: str) -> None:
    assert sent(method.lower(), f"{API}/a")["method"] == method


def test_a_request_says_who_it_is_from(api: Server) -> None:
    got = sent("GET", f"{API}/a%20b/c?x=1#fragment")
    assert got["path"] == "/a%20b/c?x=1"
    assert got["headers"] == {
        "host": "api.example",
        "accept": "*/*",
        "accept-encoding": "gzip, deflate",
        "user-agent": "Stackyard",
    }


def test_a_query_is_added_to_that_of_the_url(api: Server) -> None:
    query = {"q": "a&b ü", "n": 2, "yes": True, "tags": ["x", "y"], "none": None}
    got = sent("GET", f"{API}/find?p=1", query=query)
    assert got["path"] == "/find?p=1&q=a%26b+%C3%BC&n=2&yes=true&tags=x&tags=y"
    assert sent("GET", API, query={"a": 1})["path"] == "/?a=1"


def test_headers_are_sent_as_given(api: Server) -> None:
    headers = {
        "X-Api-Key": "k",
        "Accept": ["text/plain", "text/html"],
        "X-None": None,
        "X-Name": "Müller",
        "X-N": 3,
    }
    got = sent("GET", API, headers=headers)["headers"]
    assert (got["x-api-key"], got["accept"], got["x-n"]) == ("k", "text/plain, text/html", "3")
    assert got["x-name"].encode("latin-1").decode() == "Müller"
    assert "x-none" not in got


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "a\r\nX-B: b"},
        {"X-A": "a\nb"},
        {"X-A": "a\0b"},
        {"X-A\r\nX-B": "b"},
        {"X A": "a"},
        {"": "a"},
        {"Host": "inner.example"},
        {"Content-Length": "3"},
        {"Transfer-Encoding": "chunked"},
        {"Connection": "close"},
        {"Ünicode": "a"},
        {f"x-{n}": "a" for n in range(101)},
        "X-A: b",
    ],
)
def test_headers_cannot_change_what_is_sent(api: Server, headers: Any) -> None:
    assert problem("GET", API, headers=headers).code == "REQUEST_INVALID"
    assert api.received == []


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "GET /x HTTP/1.1\r\nX: ", "", "GÉT", None, 3])
def test_a_method_is_one_word(api: Server, method: Any) -> None:
    assert problem(method, API).code == "REQUEST_INVALID"


@pytest.mark.parametrize(
    "url", [None, 3, "http://api.example/" + "a" * 40_000, "http://a b.example/", "http://api.example:x/"]
)
def test_a_url_is_a_url(outside: Outside, url: Any) -> None:
    assert problem("GET", url).code in {"REQUEST_INVALID", "REQUEST_FAILED"}
    assert outside.dialled == []


def test_line_breaks_in_a_path_stay_in_it(api: Server) -> None:
    assert sent("GET", f"{API}/a b\r\nX-Evil: 1")["path"] == "/a%20b%0D%0AX-Evil:%201"


def test_name_and_password_of_a_url_are_basic_authentication(api: Server) -> None:
    response = request("GET", "http://ann:p%40ss@api.example/x")
    assert response.parsed()["headers"]["authorization"] == "Basic YW5uOnBAc3M="
    assert response.url == "http://api.example/x"


def test_bodies_are_json_forms_multipart_forms_or_raw(api: Server) -> None:
    got = sent("POST", API, body={"a": [1, None]})
    assert (got["headers"]["content-type"], got["body"]) == ("application/json", '{"a":[1,null]}')
    got = sent("POST", API, body={"a": "x y", "b": [1, 2], "c": None}, body_type="form")
    assert got["headers"]["content-type"] == "application/x-www-form-urlencoded"
    assert got["body"] == "a=x+y&b=1&b=2"
    got = sent("POST", API, body="plain ü", body_type="raw")
    assert got["headers"]["content-type"] == "text/plain; charset=utf-8"
    assert got["body"].encode("latin-1").decode() == "plain ü"
    got = sent("POST", API, body={"$bytes": "Af8="}, body_type="raw", headers={"Content-Type": "image/x"})
    assert (got["headers"]["content-type"], got["body"]) == ("image/x", "\x01\xff")
    got = sent("POST", API)
    assert (got["headers"]["content-length"], "content-type" in got["headers"]) == ("0", False)


def test_a_multipart_form_holds_fields_and_files(api: Server) -> None:
    body = {
        "title": "Report",
        "n": 2,
        "file": {"name": 'a"b\r\n.txt', "content": "hello", "type": "text/plain"},
        "raw": {"$bytes": "Af8="},
        "tags": ["x", "y"],
    }
    got = sent("POST", API, body=body, body_type="multipart")
    assert got["headers"]["content-type"].startswith("multipart/form-data; boundary=")
    assert (
        'name="file"; filename="a%22b%0D%0A.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n' in got["body"]
    )
    assert (
        'name="raw"; filename="raw"\r\nContent-Type: application/octet-stream\r\n\r\n\x01\xff\r\n'
        in got["body"]
    )
    assert got["body"].count('name="tags"') == 2


@pytest.mark.parametrize(
    ("body", "body_type"),
    [
        ({"a": {"b": 1}}, "form"),
        ("text", "form"),
        ([1], "multipart"),
        ({"a": {"name": "x"}}, "multipart"),
        ({"a": {"content": "x", "type": "no type"}}, "multipart"),
        ({"a": {"content": "x", "type": "text/plain\r\nX: y"}}, "multipart"),
        ({"a": [[1]]}, "multipart"),
        ({"a": 1}, "raw"),
        ({"$bytes": "*"}, "raw"),
        ({"$bytes": 3}, "raw"),
        ("x", "xml"),
        ("x" * 50_000_001, "raw"),
    ],
)
def test_a_body_must_fit_its_type(api: Server, body: Any, body_type: str) -> None:
    assert problem("POST", API, body=body, body_type=body_type).code == "REQUEST_INVALID"
    assert api.received == []


# What comes back


@pytest.mark.parametrize("status", [200, 201, 204, 304, 400, 401, 404, 418, 429, 500, 503])
def test_every_status_is_an_answer(outside: Outside, status: int) -> None:
    outside.serve("api.example", lambda _: Answer(status, b"" if status in (204, 304) else b"x"))
    assert request("GET", API).status == status


def test_headers_come_in_lower_case_and_cookies_as_a_list(outside: Outside) -> None:
    headers = {"X-One": "1", "Set-Cookie": "a=1, b\nc=2", "X-Two": "a\nb"}
    outside.serve("api.example", lambda _: Answer(200, headers=headers))
    got = request("GET", API).headers
    assert (got["x-one"], got["set-cookie"], got["x-two"]) == ("1", ["a=1, b", "c=2"], "a, b")


@pytest.mark.parametrize(
    ("content_type", "body", "value"),
    [
        ("application/json", b'{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        ("application/problem+json; charset=utf-8", b'"x"', "x"),
        ("application/json", b"", None),
        ("application/json", b"{broken", "{broken"),
        ("application/json", b'{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        ("text/html; charset=iso-8859-1", b"\xe4", "ä"),
        ("text/plain; charset=nonsense", b"x\xff", "x\ufffd"),
        ("application/atom+xml", b"<a/>", "<a/>"),
        ("image/png", b"\x89PNG", {"$bytes": "iVBORw=="}),
        ("", b"plain", "plain"),
        ("", b"\xff", {"$bytes": "/w=="}),
    ],
)
def test_bodies_are_read_by_their_type(outside: Outside, content_type: str, body: bytes, value: Any) -> None:
    outside.serve("api.example", lambda _: Answer(200, body, {"Content-Type": content_type}))
    assert request("GET", API).parsed() == value


def test_the_answer_says_how_long_it_took_and_where_it_came_from(outside: Outside) -> None:
    def slowly(received: Received) -> Answer:
        time.sleep(0.05)
        return Answer(302, headers={"Location": "/there?x=1"}) if received.path == "/" else Answer()

    outside.serve("api.example", slowly)
    response = request("GET", f"{API}:8080/")
    assert response.url == f"{API}:8080/there?x=1"
    assert 0.1 <= response.duration_seconds < 5


def test_compressed_answers_are_unpacked_and_counted_unpacked(outside: Outside) -> None:
    bomb = gzip.compress(b"0" * 30_000_000)
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/plain"}
    outside.serve("api.example", lambda _: Answer(200, bomb, headers))
    assert len(bomb) < 50_000
    assert len(request("GET", API).body) == 30_000_000
    refused = problem("GET", API, max_bytes=29_999_999)
    assert (refused.code, refused.status) == ("REQUEST_FAILED", 502)
    assert "29,999,999" in refused.message


def test_an_answer_at_the_limit_is_read_and_one_past_it_is_not(outside: Outside) -> None:
    outside.serve("api.example", lambda received: Answer(200, b"x" * int(received.path[1:])))
    assert len(request("GET", f"{API}/50000000").body) == 50_000_000
    assert problem("GET", f"{API}/50000001").code == "REQUEST_FAILED"


# Redirects


def redirecting(status: int, location: str) -> Callable[[Received], Answer]:
    """Redirects everything but /end, which it echoes."""
    return lambda got: _echo(got) if got.path == "/end" else Answer(status, b"moved", {"Location": location})


@pytest.mark.parametrize(
    ("status", "method", "becomes"),
    [
        *((301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (303, "PUT", "GET")),
        *((307, "POST", "POST"), (308, "PUT", "PUT"), (301, "PUT", "PUT"), (302, "GET", "GET")),
    ],
)
def test_redirects_keep_or_change_the_method(
    outside: Outside, status: int, method: str, becomes: str
) -> None:
    outside.serve("api.example", redirecting(status, "/end"))
    got = sent(method, f"{API}/start", body={"a": 1})
    assert (got["method"], got["body"]) == (
        becomes,
        "" if becomes == "GET" and method != "GET" else '{"a":1}',
    )
    assert ("content-type" in got["headers"]) is bool(got["body"])


def test_redirects_are_answers_where_they_are_not_followed(outside: Outside) -> None:
    outside.serve("api.example", redirecting(302, "/end"))
    response = request("GET", f"{API}/start", follow_redirects=False)
    assert (response.status, response.headers["location"], response.body) == (302, "/end", b"moved")


def test_five_redirects_are_followed_and_no_more(outside: Outside) -> None:
    def onward(received: Received) -> Answer:
        left = int(received.path[1:])
        return Answer(302, headers={"Location": f"/{left - 1}"}) if left else Answer(200, b"end")

    server = outside.serve("api.example", onward)
    assert request("GET", f"{API}/5").body == b"end"
    server.received.clear()
    refused = problem("GET", f"{API}/6")
    assert (refused.code, len(server.received)) == ("REQUEST_FAILED", 6)


SECRETS = {
    "Authorization": "Bearer s",
    "Cookie": "sid=s",
    "X-Api-Key": "s",
    "Proxy-X": "s",
    "Accept": "text/x",
}


@pytest.mark.parametrize("url", ["http://other.example/end", "http://api.example:8080/end"])
def test_another_origin_learns_no_credentials(outside: Outside, url: str) -> None:
    outside.serve("api.example", redirecting(307, url))
    outside.serve("other.example", _echo, OTHER)
    got = sent("POST", "http://ann:pw@api.example/start", headers=SECRETS, body={"a": 1})
    assert set(got["headers"]) == {
        *("host", "accept", "accept-encoding", "user-agent", "content-type", "content-length")
    }
    assert got["body"] == '{"a":1}'


def test_the_same_origin_keeps_its_credentials(outside: Outside) -> None:
    outside.serve("api.example", redirecting(307, "http://API.example:80/end"))
    got = sent("POST", f"{API}/start", headers=SECRETS, body={"a": 1})
    assert set(got["headers"]) >= {"authorization", "cookie", "x-api-key", "proxy-x"}
