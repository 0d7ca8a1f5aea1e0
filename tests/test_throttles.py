"""Limits: a sliding window in memory, shared through Redis, and what holds while Redis is away."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from endpoints.throttles import Throttle, forget_all


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    forget_all()
    yield
    forget_all()


def allowed(throttle: Throttle, calls: int) -> int:
    return sum(throttle.takes() for _ in range(calls))


def test_no_second_sees_more_than_twice_the_limit(settings: Any) -> None:
    settings.WEB_PROCESSES = 1
    throttle, taken = Throttle(1, 50), []
    begun = time.monotonic()
    while (now := time.monotonic()) < begun + 2.2:
        if throttle.takes():
            taken.append(now)
    assert len(taken) >= 100
    assert max(sum(at <= other < at + 1 for other in taken) for at in taken) <= 100


def test_a_flow_below_the_limit_passes(settings: Any) -> None:
    settings.WEB_PROCESSES = 1
    throttle = Throttle(1, 1000)
    for _ in range(60):
        assert allowed(throttle, 10) == 10
        time.sleep(0.015)


def test_each_process_allows_its_share(settings: Any) -> None:
    settings.WEB_PROCESSES = 4
    throttle = Throttle(1, 100)
    assert allowed(throttle, 500) <= 60
    assert allowed(Throttle(2, 100), 20) == 20


def test_less_than_one_call_per_second_and_process_is_one_in_several_seconds(settings: Any) -> None:
    settings.WEB_PROCESSES = 4
    throttle = Throttle(1, 1)
    assert allowed(throttle, 10) <= 2
    assert ("Retry-After", "4") in throttle.headers


def test_the_count_outlives_a_publication(settings: Any) -> None:
    settings.WEB_PROCESSES = 1
    allowed(Throttle(1, 1000), 2000)
    # One second may have turned meanwhile, and no more.
    assert allowed(Throttle(1, 1000), 2000) <= 1000
    assert Throttle(1, 1000).refused >= 2000


def test_two_processes_share_one_limit_through_redis(settings: Any, redis_url: str) -> None:
    settings.REDIS_URL, settings.WEB_PROCESSES = redis_url, 2
    number = time.time_ns()
    one = Throttle(number, 50)
    forget_all()
    other = Throttle(number, 50)
    begun = time.monotonic()
    passed = sum(one.takes() + other.takes() for _ in range(150))
    assert 50 <= passed <= 55 + 55 * (time.monotonic() - begun)


def test_a_dead_redis_neither_opens_nor_closes_the_door(settings: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings.REDIS_URL = f"redis://127.0.0.1:{taken.getsockname()[1]}/0"
        settings.WEB_PROCESSES = 2
        throttle = Throttle(1, 100)
        assert 50 <= allowed(throttle, 500) <= 105


def test_a_hanging_redis_costs_one_call_50_ms_and_the_others_nothing(settings: Any) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        throttle = Throttle(1, 1000)
        begun = time.monotonic()
        assert allowed(throttle, 20) == 20
        assert time.monotonic() - begun < 0.6


def test_each_caller_has_a_limit_of_its_own(settings: Any) -> None:
    settings.WEB_PROCESSES = 1
    throttle = Throttle(1, 5, of_each_caller=True)
    greedy = sum(throttle.takes("api_key:1") for _ in range(30))
    assert 5 <= greedy <= 10
    assert throttle.takes("api_key:2")
    assert throttle.takes("203.0.113.7")
    assert ("RateLimit-Policy", '"caller";q=5;w=1') in throttle.headers
