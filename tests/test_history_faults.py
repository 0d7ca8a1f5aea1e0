"""The request history when its database fails: calls are answered, nobody waits, and it goes on by itself."""

from __future__ import annotations

import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from endpoints.history import history
from endpoints.history_bounds import prune
from endpoints.history_search import Wanted, search
from endpoints.models import HistoryEntry
from tests.doors import Door
from tests.factories import make_endpoint, make_group, make_workspace

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])
on_files = pytest.mark.skipif(
    settings.ON_POSTGRESQL, reason="the history is a file of its own on SQLite only"
)


@pytest.fixture
def door() -> Door:
    from stackyard.wsgi import application

    history._waiting.clear()
    history._rows.clear()
    make_endpoint(
        make_group(make_workspace()),
        "/a",
        trace=True,
        lines=[{"step": "set_status", "params": {"status": 201}}],
    )
    return Door(application)


def path() -> Path:
    return Path(str(connections["history"].settings_dict["NAME"]))


@on_files
def test_a_full_disk_holds_up_nothing(door: Door) -> None:
    with connections["history"].cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
    for number in range(300):
        assert (
            door.get("/api:shop/a", headers={"X-Filler": "x" * 4000, "X-Request-ID": f"n{number}"}).status
            == 201
        )
    history.flush()
    assert history._rows, "what could not be written waits"
    connections["history"].close()
    history.flush()
    assert not history._rows
    assert HistoryEntry.objects.filter(request_id="n299").exists()


@contextmanager
def locked() -> Iterator[None]:
    """Somebody else writes into the file and does not end; who waits for it does so 50 ms here, 20 s as it comes."""
    other = sqlite3.connect(path(), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with connections["history"].cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    try:
        yield
    finally:
        other.close()


@contextmanager
def read_only() -> Iterator[None]:
    """The file may be read and not written, for root as well."""
    held: dict[str, Any] = connections["history"].settings_dict
    name = held["NAME"]
    connections["history"].close()
    held["NAME"] = f"file:{name}?mode=ro"
    try:
        yield
    finally:
        connections["history"].close()
        held["NAME"] = name


@contextmanager
def no_room() -> Iterator[None]:
    """No file of this process may grow, nor begin: as good as a full disk, and the connection is made anew on it."""
    connections["history"].close()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


@on_files
@pytest.mark.parametrize("fault", [locked, read_only, no_room])
def test_calls_go_on_while_it_cannot_be_written_and_are_told_of_afterwards(door: Door, fault: Any) -> None:
    door.get("/api:shop/a", headers={"X-Request-ID": "before"})
    history.flush()
    with fault():
        for number in range(3):
            began = time.monotonic()
            assert door.get("/api:shop/a", headers={"X-Request-ID": f"n{number}"}).status == 201
            history.flush()
            assert time.monotonic() - began < 10, "neither the caller nor the writer hangs"
        assert history._rows or history._waiting, "what could not be written waits"
    history.flush()
    assert door.get("/api:shop/a", headers={"X-Request-ID": "after"}).status == 201
    history.flush()
    kept = HistoryEntry.objects.order_by("id").values_list("request_id", flat=True)
    assert list(kept)[-5:] == ["before", "n0", "n1", "n2", "after"], (
        "nothing is lost, and nothing is there twice"
    )
    assert not list(path().parent.glob(f"{path().name}.broken-*")), "a file that is sound is never put aside"


@on_files
@pytest.mark.parametrize("damage", ["deleted", "garbage"])
def test_a_file_that_is_gone_or_broken_begins_anew(door: Door, damage: str) -> None:
    door.get("/api:shop/a")
    history.flush()
    if damage == "deleted":
        for ending in ("", "-wal", "-shm"):
            Path(f"{path()}{ending}").unlink(missing_ok=True)
    else:
        connections["history"].close()
        path().write_bytes(b"no database " * 1000)
    for _ in range(4):
        assert door.get("/api:shop/a").status == 201
        history.flush()
    assert HistoryEntry.objects.count() >= 1
    for aside in path().parent.glob(f"{path().name}.broken-*"):
        aside.unlink()


def test_it_is_bounded_by_count_age_and_bytes(door: Door) -> None:
    for _ in range(30):
        door.get("/api:shop/a")
    history.flush()
    assert prune(1_000_000, 30, 10**12) == 0
    assert prune(20, 30, 10**12) == 10
    oldest = HistoryEntry.objects.order_by("id")[:5]
    HistoryEntry.objects.filter(pk__in=[one.pk for one in oldest]).update(created_at=1)
    assert prune(1_000_000, 30, 10**12) == 5
    assert prune(1_000_000, 30, 0) == 15


def test_a_search_goes_on_where_it_ended(door: Door) -> None:
    for _ in range(5):
        door.get("/api:shop/a")
    history.flush()
    workspace_id = HistoryEntry.objects.first().workspace_id
    first, cursor = search(Wanted(workspace_id, text="SHOP"), 3)
    rest, end = search(Wanted(workspace_id, text="SHOP"), 3, cursor)
    assert [len(first), len(rest), end] == [3, 2, None]
    assert search(Wanted(workspace_id, {"method": "PUT"}), 3) == ([], None)
    assert '"line"' in HistoryEntry.objects.first().trace
