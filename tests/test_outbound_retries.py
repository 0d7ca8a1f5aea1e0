"""Requests that are sent again: when, how often, and how long they wait."""

from __future__ import annotations

import socket
import time
from email.utils import formatdate
from typing import Any

import pytest

from stackyard.core.errors import Problem
from stackyard.core.outbound import request
from tests.outside import Answer, Outside, Received, Server

API = "http://api.example/"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made; none takes any time here."""
    made: list[float] = []
    monkeypatch.setattr("stackyard.core.outbound.retries.pause", made.append)
    return made


def failing(outside: Outside, times: int, status: int = 503, **headers: str) -> Server:
    """A server that fails a number of times before it answers."""
    left = [times]

    def speak(_: Received) -> Answer:
        left[0] -= 1
        return Answer(status, headers=headers) if left[0] >= 0 else Answer(200, b"well")

    return outside.serve("api.example", speak)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_it_is_sent_again_until_it_succeeds(outside: Outside, waits: list[float], status: int) -> None:
    server = failing(outside, 3, status)
    assert request("GET", API, retries=3).body == b"well"
    assert len(server.received) == 4
    for pause, least in zip(waits, (0.5, 1, 2), strict=True):
        assert least <= pause <= least + 0.5


def test_the_last_answer_stands_when_retries_are_used_up(outside: Outside, waits: list[float]) -> None:
    server = failing(outside, 9)
    assert request("GET", API, retries=2).status == 503
    assert len(server.received) == 3


@pytest.mark.parametrize("status", [200, 301, 400, 401, 404, 409, 500, 501])
def test_other_answers_stand_at_once(outside: Outside, waits: list[float], status: int) -> None:
    server = failing(outside, 9, status)
    assert request("GET", API, retries=3).status == status
    assert len(server.received) == 1


def test_nothing_is_sent_again_unasked(outside: Outside) -> None:
    server = failing(outside, 1)
    assert request("GET", API).status == 503
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("method", "options", "times"),
    [
        *(("GET", {}, 3), ("HEAD", {}, 3), ("PUT", {}, 3), ("DELETE", {}, 3), ("OPTIONS", {}, 3)),
        *(("POST", {}, 1), ("PATCH", {}, 1), ("POST", {"retry_any_method": True}, 3)),
        ("POST", {"headers": {"Idempotency-Key": "k"}}, 3),
    ],
)
def test_what_must_not_happen_twice_is_not_sent_again(
    outside: Outside, waits: list[float], method: str, options: dict[str, Any], times: int
) -> None:
    server = failing(outside, 9)
    assert request(method, API, retries=2, **options).status == 503
    assert len(server.received) == times


@pytest.mark.parametrize(("method", "times"), [("GET", 3), ("POST", 1)])
def test_a_broken_connection_counts_like_a_failed_answer(
    outside: Outside, waits: list[float], method: str, times: int
) -> None:
    asked: list[bytes] = []

    def speak(connection: socket.socket) -> None:
        asked.append(connection.recv(65_536))

    outside.serve_raw("api.example", speak)
    with pytest.raises(Problem) as caught:
        request(method, API, retries=2)
    assert caught.value.code == "REQUEST_FAILED"
    assert len(asked) == times


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_was_never_sent_may_always_be_sent_again(
    outside: Outside, waits: list[float], method: str
) -> None:
    with pytest.raises(Problem) as caught:
        request(method, "http://nobody.example/", retries=2)
    assert caught.value.code == "REQUEST_FAILED"
    assert outside.asked == ["nobody.example"] * 3


def test_refusals_are_final(outside: Outside, waits: list[float]) -> None:
    outside.names["inner.example"] = [["10.0.0.1"]]
    with pytest.raises(Problem):
        request("GET", "http://inner.example/", retries=3)
    assert outside.asked == ["inner.example"]
    assert waits == []


def test_it_waits_as_long_as_the_answer_asks(outside: Outside, waits: list[float]) -> None:
    failing(outside, 1, 429, **{"Retry-After": "7"})
    assert request("GET", API, retries=1).status == 200
    assert waits == [7]


def test_the_answer_may_ask_by_a_date(outside: Outside, waits: list[float]) -> None:
    failing(outside, 1, 503, **{"Retry-After": formatdate(time.time() + 9, usegmt=True)})
    assert request("GET", API, retries=1).status == 200
    assert 6 < waits[0] <= 9


def test_a_wait_that_nobody_understands_is_passed_over(outside: Outside, waits: list[float]) -> None:
    failing(outside, 1, 503, **{"Retry-After": "soon"})
    assert request("GET", API, retries=1).status == 200
    assert 0.5 <= waits[0] <= 1


def test_a_wait_past_the_time_limit_is_not_begun(outside: Outside, waits: list[float]) -> None:
    server = failing(outside, 1, 429, **{"Retry-After": "3600"})
    response = request("GET", API, retries=3, timeout=5)
    assert (response.status, len(server.received), waits) == (429, 1, [])


@pytest.mark.parametrize("retries", [-1, 11, "2", True, 1.5, None])
def test_retries_are_within_the_table(outside: Outside, retries: Any) -> None:
    failing(outside, 0)
    with pytest.raises(Problem) as caught:
        request("GET", API, retries=retries)
    assert caught.value.code == "REQUEST_INVALID"
    assert request("GET", API, retries=10).status == 200
