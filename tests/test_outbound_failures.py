"""Requests to other servers that do not come off: each failure is an error of its own kind, and none takes longer than it may."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from stackyard.core.errors import Problem
from stackyard.core.outbound import request
from tests.outside import OTHER, PUBLIC, Answer, Outside, Server

API = "http://api.example"


@pytest.fixture
def api(outside: Outside) -> Server:
    """A server that is well."""
    return outside.serve("api.example", lambda _: Answer())


def problem(*arguments: Any, **options: Any) -> Problem:
    """The Problem a request ends in."""
    with pytest.raises(Problem) as caught:
        request(*arguments, **options)
    return caught.value


def test_a_name_that_does_not_exist_is_a_failed_request(outside: Outside) -> None:
    refused = problem("GET", "http://nobody.example/?key=secret")
    assert (refused.code, refused.status) == ("REQUEST_FAILED", 502)
    assert "nobody.example" in refused.message
    assert "secret" not in refused.message


def test_a_server_that_is_not_there_is_a_failed_request(outside: Outside) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        outside.routes[PUBLIC] = free.getsockname()[1]
    outside.names["api.example"] = [[PUBLIC]]
    assert problem("GET", API).code == "REQUEST_FAILED"


def test_the_next_address_is_tried_when_one_does_not_answer(outside: Outside) -> None:
    outside.serve("api.example", lambda _: Answer())
    with socket.create_server(("127.0.0.1", 0)) as free:
        outside.routes[OTHER] = free.getsockname()[1]
    outside.names["api.example"] = [[OTHER, PUBLIC]]
    assert request("GET", API).status == 200


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 200 + b"\r\n",
    ],
)
def test_a_broken_answer_is_a_failed_request(outside: Outside, answer: bytes) -> None:
    def speak(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(answer)

    outside.serve_raw("api.example", speak)
    assert problem("GET", API).code == "REQUEST_FAILED"


def _dripping(first: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    def speak(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(first)
        for _ in range(200):
            time.sleep(0.05)
            connection.sendall(drop)

    return speak


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: a\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
)
def test_time_is_for_the_whole_request_however_it_drips(outside: Outside, first: bytes, drop: bytes) -> None:
    outside.serve_raw("api.example", _dripping(first, drop))
    began = time.monotonic()
    late = problem("GET", API, timeout=0.4)
    assert (late.code, late.status) == ("REQUEST_TIMEOUT", 504)
    assert time.monotonic() - began < 5


def test_a_body_that_nobody_reads_runs_into_the_time_limit(outside: Outside) -> None:
    outside.serve_raw("api.example", lambda _: time.sleep(9))
    began = time.monotonic()
    assert problem("POST", API, body="x" * 30_000_000, body_type="raw", timeout=0.4).code == "REQUEST_TIMEOUT"
    assert time.monotonic() - began < 5


def test_a_resolver_that_hangs_runs_into_the_time_limit(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(9))
    began = time.monotonic()
    assert problem("GET", API, timeout=0.3).code == "REQUEST_TIMEOUT"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"timeout": 301}, {"timeout": "5"}, {"timeout": True}, {"timeout": None}]
)
def test_time_limits_are_within_the_table(api: Server, options: dict[str, Any]) -> None:
    assert problem("GET", API, **options).code == "REQUEST_INVALID"
    assert request("GET", API, timeout=300).status == 200
