"""The cache: the same promises over a file and over Redis."""

from __future__ import annotations

import multiprocessing
import secrets
import sqlite3
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stackyard.core import cache, cache_stores
from stackyard.core.cache_stores import FileStore
from stackyard.core.errors import Problem
from stackyard.core.limits import Limit
from tests import services


@pytest.fixture(params=["file", "redis"], autouse=True)
def kept_in(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> str:
    """Where values are kept during a test."""
    settings.HOME = tmp_path
    settings.REDIS_URL = ""
    if request.param == "redis":
        settings.REDIS_URL = request.getfixturevalue("redis_url")
    return str(request.param)


@pytest.fixture
def shop() -> int:
    """A workspace that no other test has: a Redis server is shared by all that run now."""
    return 10**6 + 100 * secrets.randbelow(10**12)


def refusal(deed: Any, *arguments: Any) -> Problem:
    """The Problem a deed ends in."""
    with pytest.raises(Problem) as caught:
        deed(*arguments)
    return caught.value


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -5,
        2**63 - 1,
        -(2**63),
        1.5,
        "",
        "text ü",
        [1, [2]],
        {"a": {"b": None}},
        "5",
        "null",
    ],
)
def test_what_is_kept_comes_back(shop: int, value: Any) -> None:
    cache.set(shop, "key", value)
    found = cache.get(shop, "key")
    assert found == value
    assert type(found) is type(value)
    assert cache.has(shop, "key") is True


def test_values_go_through_json(shop: int) -> None:
    cache.set(shop, "key", {"at": datetime(2026, 1, 23, tzinfo=UTC), "price": Decimal("1.50")})
    assert cache.get(shop, "key") == {"at": "2026-01-23T00:00:00.000Z", "price": 1.5}


def test_a_miss_is_null(shop: int) -> None:
    assert cache.get(shop, "nothing") is None
    assert cache.has(shop, "nothing") is False
    assert cache.delete(shop, "nothing") is False


def test_a_value_is_replaced_and_taken_away(shop: int) -> None:
    cache.set(shop, "key", "one")
    cache.set(shop, "key", "two")
    assert cache.get(shop, "key") == "two"
    assert cache.delete(shop, "key") is True
    assert cache.get(shop, "key") is None


def test_workspaces_do_not_see_each_other(shop: int) -> None:
    cache.set(shop, "key", "one")
    cache.set(shop + 10, "key", "eleven")
    cache.set(shop, "1:key", "x")
    assert (cache.get(shop, "key"), cache.get(shop + 10, "key"), cache.get(shop + 1, "key")) == (
        "one",
        "eleven",
        None,
    )
    assert cache.delete(shop + 1, "key") is False


def test_a_value_ends_by_itself(shop: int) -> None:
    cache.set(shop, "key", "value", 0.8)
    cache.increment(shop, "count", 5, 0.8)
    assert cache.has(shop, "key")
    time.sleep(0.9)
    assert cache.get(shop, "key") is None
    assert cache.has(shop, "key") is False
    assert cache.delete(shop, "key") is False
    assert cache.increment(shop, "count") == 1


def test_counting_begins_at_nothing_and_keeps_its_end(shop: int) -> None:
    assert cache.increment(shop, "count", 2, 0.8) == 2
    assert cache.increment(shop, "count", -5, 1000) == -3
    assert cache.get(shop, "count") == -3
    time.sleep(0.9)
    assert cache.get(shop, "count") is None


def test_a_number_that_was_set_can_be_counted_on(shop: int) -> None:
    cache.set(shop, "count", 41)
    assert cache.increment(shop, "count") == 42


@pytest.mark.parametrize("value", ["5", 1.5, None, True, [1], {"a": 1}, 2**63 - 1])
def test_only_whole_numbers_of_64_bits_are_counted(shop: int, value: Any) -> None:
    cache.set(shop, "key", value)
    assert refusal(cache.increment, shop, "key").code == "CACHE_INVALID"
    assert cache.get(shop, "key") == value


def test_no_count_is_lost_between_threads(shop: int) -> None:
    def count() -> None:
        for _ in range(100):
            cache.increment(shop, "count")

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.get(shop, "count") == 800


def _count_in_process(path: Path) -> None:
    store = FileStore(path)
    threads = [threading.Thread(target=store.increment, args=(1, "count", 1, 60)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_no_count_is_lost_between_processes_that_open_it_at_once(tmp_path: Path) -> None:
    # Not forked: a child of a process with threads may find a lock that nobody gives back.
    with ProcessPoolExecutor(4, multiprocessing.get_context("spawn")) as processes:
        for turn in range(10):
            path = tmp_path / f"{turn}.sqlite3"
            for one in [processes.submit(_count_in_process, path) for _ in range(4)]:
                one.result(60)
            assert FileStore(path).get(1, "count") == 32


@pytest.mark.parametrize("key", ["", "x" * 201, 3, None, ["a"], "a\0b"])
def test_a_key_is_a_text_within_the_table(shop: int, key: Any) -> None:
    for deed in (cache.get, cache.has, cache.delete, cache.increment):
        assert refusal(deed, shop, key).code == "CACHE_INVALID"
    assert refusal(cache.set, shop, key, "x").status == 422
    cache.set(shop, "x" * 200, "long")
    assert cache.get(shop, "x" * 200) == "long"


@pytest.mark.parametrize("ttl", [0, -1, 2_592_001, "5", True, float("inf"), float("nan")])
def test_a_value_is_kept_as_long_as_the_table_allows(shop: int, ttl: Any) -> None:
    assert refusal(cache.set, shop, "key", "x", ttl).code == "CACHE_INVALID"
    assert refusal(cache.increment, shop, "key", 1, ttl).code == "CACHE_INVALID"
    cache.set(shop, "key", "x", 2_592_000)
    cache.set(shop, "key", "x", None)


@pytest.mark.parametrize("by", [1.5, "1", None, True, 2**63])
def test_counting_goes_by_whole_numbers(shop: int, by: Any) -> None:
    assert refusal(cache.increment, shop, "key", by).code == "CACHE_INVALID"


def test_a_value_is_as_large_as_the_table_says(shop: int) -> None:
    cache.set(shop, "key", "x" * 999_998)
    assert len(cache.get(shop, "key")) == 999_998
    assert refusal(cache.set, shop, "key", "x" * 999_999).code == "CACHE_INVALID"
    shared: Any = ["x"]
    for _ in range(60):
        shared = [shared, shared]
    assert refusal(cache.set, shop, "key", shared).code == "CACHE_INVALID"


def test_a_workspace_has_so_many_entries_and_bytes_and_no_more(
    kept_in: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kept_in == "redis":
        return
    monkeypatch.setattr(cache_stores, "CACHE_ENTRIES", Limit(5, 5, "entries", ""))
    monkeypatch.setattr(cache_stores, "CACHE_BYTES", Limit(300, 300, "bytes", ""))
    store = FileStore(tmp_path / "bounded.sqlite3")
    store.set(2, "other", b"x", 1)
    for number in range(8):
        store.set(1, f"small{number}", b"x", 60 + number)
    store.make_room(1)
    assert [store.get(1, f"small{n}") is not None for n in range(8)] == [False] * 3 + [True] * 5
    for number in range(4):
        store.set(1, f"large{number}", b"x" * 100, 600 + number)
    store.make_room(1)
    assert [store.get(1, f"large{n}") is not None for n in range(4)] == [False, True, True, True]
    assert store.get(1, "small7") is None
    assert store.get(2, "other") == b"x"


def test_what_has_ended_leaves_the_file(kept_in: str, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "ended.sqlite3")
    for number in range(99):
        store.set(1, f"key{number}", b"x", 0.01)
    time.sleep(0.05)
    for number in range(3):
        store.set(1, f"last{number}", b"x", 60)
    with sqlite3.connect(tmp_path / "ended.sqlite3") as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone()[0] == 3


def test_a_store_that_does_not_answer_is_a_catchable_error(
    kept_in: str, settings: Any, tmp_path: Path
) -> None:
    if kept_in == "redis":
        settings.REDIS_URL = f"redis://127.0.0.1:{services.free_port()}/0"
    else:
        settings.HOME = tmp_path / "gone"
    began = time.monotonic()
    for deed, arguments in ((cache.get, ()), (cache.set, (1,)), (cache.increment, ()), (cache.delete, ())):
        refused = refusal(deed, shop, "key", *arguments)
        assert (refused.code, refused.status) == ("CACHE_UNAVAILABLE", 503)
    assert time.monotonic() - began < 5
