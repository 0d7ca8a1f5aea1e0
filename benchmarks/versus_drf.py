"""Our endpoints against the same API written by hand in Django REST framework.

Both are served by granian in WSGI mode with one worker and one thread, and checked for the same key.
Ours has 1,000 published endpoints, the limiter (raised, so that it counts but never refuses) and the
request history on; the peer has neither and runs without middleware. 100,000 customers, 16
connections. The lists are filtered by city, with their total, on both sides: by id (index on city), by name
(index on city and name), and by credit, where no index has the order and both spend most of their time in
the database's sorting: that one is told, without a goal. Rounds take turns, the ratio is the median of theirs.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from benchmarks import load, servers
from benchmarks.customers import CITIES, CUSTOMERS, make_customer
from benchmarks.figures import Comparison, Round

ENDPOINTS = 1000
NEW_EMAILS = count(10_000_000)


@dataclass(frozen=True)
class Workload:
    """What both sides are asked. `goal` is the least ratio wanted, by database; none where it is only told."""

    what: str
    goal: Mapping[str, float]
    ours: Callable[[], load.Request]
    peer: Callable[[], load.Request]


def make_workloads(key: str) -> list[Workload]:
    """Get, lists, create, in this order: what creates makes the table grow."""
    chance = random.Random(7)
    headers = {"X-API-Key": key}
    ids = [chance.randint(1, CUSTOMERS) for _ in range(5000)]
    pages = [(chance.randrange(CITIES), chance.randint(1, 10)) for _ in range(5000)]

    def get(form: str) -> Callable[[], load.Request]:
        return load.cycle([load.http_request("GET", form.format(one), headers) for one in ids])

    def page(form: str) -> Callable[[], load.Request]:
        return load.cycle([load.http_request("GET", form.format(*one), headers) for one in pages])

    def list_by(field: str, goal: Mapping[str, float]) -> Workload:
        return Workload(
            f"list 20 of 100,000 by {field}",
            goal,
            page("/api:bench/customers?city=City%20{}&page={}&sort=" + field),
            page("/customers/?city=City%20{}&page={}&ordering=" + field),
        )

    def create(target: str) -> Callable[[], load.Request]:
        def request() -> load.Request:
            body = json.dumps(make_customer(next(NEW_EMAILS), chance)).encode()
            return load.http_request("POST", target, headers, body, status=201)

        return request

    return [
        Workload(
            "get one by id",
            {"SQLite": 5, "PostgreSQL": 3},
            get("/api:bench/customers/{}"),
            get("/customers/{}/"),
        ),
        list_by("id", {"SQLite": 5, "PostgreSQL": 3}),
        list_by("name", {"SQLite": 5, "PostgreSQL": 3}),
        list_by("credit", {}),
        Workload(
            "create",
            {"SQLite": 3, "PostgreSQL": 2},
            create("/api:bench/customers"),
            create("/customers/"),
        ),
    ]


@contextmanager
def both_sides(database: Mapping[str, str]) -> Iterator[tuple[str, servers.Server, servers.Server]]:
    """Prepare and serve both; `database` is the environment that names it, by side. Yields key, ours, peer."""
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="stackyard-bench-"))
        ours = {"STACKYARD_HOME": f"{home}/ours", "DATABASE_URL": database.get("ours", "")}
        peer = {"PEER_HOME": home, "DATABASE_URL": database.get("peer", "")}
        key = servers.run_module(["benchmarks.ours", str(ENDPOINTS)], ours)
        servers.run_module(["benchmarks.peer.prepare", key], peer)
        command, environment = servers.ours(ours)
        our_server = stack.enter_context(servers.serving("ours", command, environment))
        command, environment = servers.peer(peer)
        yield key, our_server, stack.enter_context(servers.serving("peer", command, environment))


def compare(name: str, database: Mapping[str, str], rounds: int, seconds: float) -> list[Comparison]:
    """Every workload on one database."""
    comparisons = []
    with both_sides(database) as (key, ours, peer):
        for work in make_workloads(key):
            check_same(ours, peer, work)
            sides: tuple[list[Round], list[Round]] = ([], [])
            for number in range(rounds + 1):
                measured = [measure(ours, work.ours, seconds), measure(peer, work.peer, seconds)]
                # The first round warms both up.
                if number:
                    sides[0].append(measured[0])
                    sides[1].append(measured[1])
            comparisons.append(Comparison(name, work.what, "DRF", work.goal.get(name), *sides))
    return comparisons


def measure(server: servers.Server, requests: Callable[[], load.Request], seconds: float) -> Round:
    """One run against one server."""
    before = server.cpu_seconds()
    result = load.run(server.port, requests, seconds)
    spent = server.cpu_seconds() - before
    return Round(
        per_second=result.per_second,
        p50_ms=result.percentile(0.50) * 1000,
        p99_ms=result.percentile(0.99) * 1000,
        cpu_us=spent / result.requests * 1e6,
    )


class DifferentAnswers(Exception):
    """The two sides do not do the same work."""


def check_same(ours: servers.Server, peer: servers.Server, work: Workload) -> None:
    """Compare one answer of each. DifferentAnswers when the names of the customers in them differ."""
    answers = [load.body_of(ours.port, work.ours()), load.body_of(peer.port, work.peer())]
    names = [names_in(json.loads(answer)) for answer in answers]
    if work.what != "create" and names[0] != names[1]:
        raise DifferentAnswers(f"{work.what}: {answers[0][:300]!r} and {answers[1][:300]!r}")


def names_in(answer: Any) -> list[str]:
    """The customers' names in an answer of either side."""
    records = answer.get("items") or answer.get("results") or [answer]
    return [record["name"] for record in records]
