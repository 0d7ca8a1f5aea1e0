"""Runs of drafts that go on beside the request that began them, and what they hold up: nobody."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from endpoints.models import ApiGroup, Endpoint
from stackyard.core.principal import SYSTEM
from stackyard.stacks import trial as trials
from stackyard.tables.query import Query
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.test_debugging import address, endpoint_of, expr, group, line, post, shop

__all__ = ["group", "shop"]

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])

ENDLESS = [line("w", "while", **{"if": True}, do=[line("n", "set_variable", name="n", value=1)])]


def test_a_long_run_is_cancelled_while_it_runs(console: Client, group: ApiGroup) -> None:
    endpoint = endpoint_of(group, ENDLESS)
    started = post(console, endpoint).json()
    if started["state"] == "running":
        assert post(console, endpoint, f"runs/{started['id']}/cancel/").status_code == 200
        started = wait_for(console, endpoint, started["id"])
        assert started["problem"]["code"] == "CANCELLED"
    assert started["lines"][0]["failed"] is True


def wait_for(console: Client, endpoint: Endpoint, trial: str) -> dict[str, Any]:
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        result: dict[str, Any] = console.get(address(endpoint, f"runs/{trial}/")).json()
        if result["state"] != "running":
            return result
        time.sleep(0.05)
    raise AssertionError("it never ended")


def test_a_trial_holds_up_no_writer_before_its_own_first_write(console: Client, group: ApiGroup) -> None:
    """SQLite has one write lock: a trial that only reads must not have it, one that writes sees both."""
    wrote, began = threading.Event(), threading.Event()

    def write() -> None:
        try:
            began.wait(10)
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA busy_timeout = 500" if connection.vendor == "sqlite" else "SELECT 1")
            Store(load_schema(group.workspace_id)).add("customers", {"name": "Eve"})
            wrote.set()
        finally:
            connection.close()

    thread = threading.Thread(target=write)
    thread.start()

    def is_cancelled() -> bool:
        # Asked at every line: between the first, which reads, and the second, which writes.
        began.set()
        wrote.wait(5)
        return False

    document = {
        "lines": [
            line("before", "query_all_records", "before", table="customers", **{"return": "count"}),
            line("add", "add_record", "made", table="customers", data={"name": "Dee"}),
            line("after", "query_all_records", "after", table="customers", **{"return": "count"}),
        ],
        "response": expr("after - before"),
    }
    trial = trials.try_document(group.workspace, document, {}, principal=SYSTEM, is_cancelled=is_cancelled)
    thread.join(10)
    assert wrote.is_set()
    assert trial.problem is None
    names = [record["name"] for record in Store(load_schema(group.workspace_id)).query(Query("customers"))]
    assert sorted(names) == ["Ann", "Bob", "Cyd", "Eve"]
