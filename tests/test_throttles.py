"""Limits: a sliding window in memory, shared through Redis, and what holds while Redis is away."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
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


class Clock:
    """Time that only a test moves on."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


class StandInRedis(socketserver.ThreadingTCPServer):
    """Lets through what `room` has left, or says nothing at all while it stalls."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.room, self.asked, self.stalls = 0, 0, False

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.server_address[1]}/0"

    def answer(self, words: list[bytes]) -> bytes:
        if words[0] == b"HELLO":
            return b"%1\r\n$5\r\nproto\r\n:" + words[1] + b"\r\n"
        if words[0] != b"EVALSHA":
            return b"+OK\r\n"
        calls = int(words[-1])
        if calls > self.room:
            return b":0\r\n"
        self.room -= calls
        return b":1\r\n"


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, StandInRedis)
        with contextlib.suppress(OSError):
            while line := self.rfile.readline():
                words = []
                for _ in range(int(line[1:])):
                    size = int(self.rfile.readline()[1:])
                    words.append(self.rfile.read(size + 2)[:-2])
                server.asked += 1
                if server.stalls:
                    # Until the client has had enough.
                    self.rfile.read()
                    return
                self.wfile.write(server.answer(words))


@pytest.fixture
def stand_in(settings: Any) -> Iterator[StandInRedis]:
    settings.WEB_PROCESSES = 4
    with StandInRedis() as server:
        settings.REDIS_URL = server.url
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_redis_that_stalls_leaves_no_fresh_window(clock: Clock, stand_in: StandInRedis) -> None:
    throttle, stand_in.room = Throttle(1, 100), 20
    assert allowed(throttle, 60) == 20
    stand_in.stalls = True
    # 25 are this process's share, and Redis has let 20 of them through.
    assert allowed(throttle, 100) == 5
    clock.now += 0.99
    assert allowed(throttle, 100) == 0
    clock.now += 0.51
    assert 12 <= allowed(throttle, 100) <= 13, "half of the last window is in view"


def test_more_than_its_share_through_redis_closes_the_fallback_for_as_long_as_it_is_in_view(
    clock: Clock, stand_in: StandInRedis
) -> None:
    throttle, stand_in.room = Throttle(1, 100), 100
    assert allowed(throttle, 100) == 100
    stand_in.stalls = True
    clock.now += 1.5
    assert allowed(throttle, 10) == 0
    clock.now += 0.5
    assert allowed(throttle, 100) == 25, "never closed"


def test_what_was_let_through_meanwhile_is_counted_by_redis_first(
    clock: Clock, stand_in: StandInRedis
) -> None:
    throttle = Throttle(1, 100)
    stand_in.stalls = True
    assert allowed(throttle, 100) == 25
    stand_in.stalls = False
    clock.now += 1.01
    stand_in.room = 20
    assert allowed(throttle, 100) == 0, "no room for what is owed: the room goes to it"
    stand_in.room = 30
    assert allowed(throttle, 100) == 25, "five were owed"
    assert stand_in.room == 0


def test_after_a_failure_redis_is_left_alone_for_longer_each_time(
    clock: Clock, stand_in: StandInRedis
) -> None:
    throttle, stand_in.stalls = Throttle(1, 100), True
    for _ in range(80):
        allowed(throttle, 5)
        clock.now += 0.25
    for _ in range(1000):
        if stand_in.asked >= 5:
            break
        threading.Event().wait(0.005)
    assert stand_in.asked == 5, "in 20 s: at 0, 1, 3, 7 and 15"
    stand_in.stalls, stand_in.room = False, 1000
    clock.now += 8
    assert allowed(throttle, 100) == 100
