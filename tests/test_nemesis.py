"""Durable runs under a nemesis: real processes, real faults, and a checker that must find what is broken.

`make nemesis` does the same at length. The order of the faults is always the same here; what each one hits is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests import services
from tests.conftest import absent
from tests.nemesis.__main__ import table
from tests.nemesis.checker import Evidence, Recorded, Verdict, check, unfinished
from tests.nemesis.drain import Drain, drain
from tests.nemesis.processes import Keeper, signal_quietly
from tests.nemesis.servers import TERM
from tests.nemesis.world import make_world, torment, wait_until

FAULTS = {"embedded": 10, "servers": 12, "sabotaged": 5}
# Between them the worlds then have every fault there is.
SEED = 25
LEASE_SECONDS = 2

Runs = dict[str, "Future[Any]"]


def disturb(name: str) -> tuple[Verdict, str]:
    """Torment one world; the verdict, and what to print with it."""
    sabotaged = name == "sabotaged"
    on_servers = name == "servers"
    with make_world(
        SEED, on_servers=on_servers, publish_only=sabotaged, lease_seconds=LEASE_SECONDS
    ) as world:
        world.environment["WEB_PROCESSES"] = "1"
        if sabotaged:
            # It must only be found out: the fewer processes, the less there is to wait for.
            world.has_web, world.schedulers = False, world.schedulers[:1]
        torment(world, FAULTS[name], SEED, settle_seconds=5 if sabotaged else 60)
        verdict = check(world.evidence())
        return verdict, f"{table(world, verdict, 0)}\n{world.output()[-20_000:]}"


@pytest.fixture(scope="module")
def worlds() -> Iterator[Runs]:
    """All worlds at once: they mostly wait."""
    names = set(FAULTS)
    if not (services.find_redis() and services.find_postgres()):
        names.remove("servers")
    with ThreadPoolExecutor(8) as threads:
        runs: Runs = {name: threads.submit(disturb, name) for name in sorted(names)}
        runs["patient"] = threads.submit(stop_in_order, 30, 4)
        runs["impatient"] = threads.submit(stop_in_order, 1, 60)
        yield runs


def test_without_servers_nothing_accepted_is_lost(worlds: Runs) -> None:
    verdict, story = worlds["embedded"].result()
    assert verdict.is_good, story
    assert verdict.counts["succeeded"] > 20, story
    assert verdict.counts["of them over HTTP"] >= 3, story


def test_with_redis_and_postgresql_nothing_accepted_is_lost(worlds: Runs) -> None:
    if "servers" not in worlds:
        absent("redis-server or PostgreSQL is not installed")
    verdict, story = worlds["servers"].result()
    assert verdict.is_good, story
    assert verdict.counts["succeeded"] > 20, story
    assert verdict.counts["of them over HTTP"] >= 3, story


def test_the_checker_condemns_a_build_that_only_publishes(worlds: Runs) -> None:
    verdict, story = worlds["sabotaged"].result()
    assert verdict.broken["not ended"], story


REAP = """
import django; django.setup()
from stackyard.runs import dispatch
dispatch.reap()
"""
ACCEPT = """
import django; django.setup()
from stackyard.core.models import Workspace
from stackyard.runs import dispatch
workspace = Workspace.objects.get(name="nemesis")
dispatch.start("nemesis", workspace, 1, target_name="nemesis", input={"seconds": SECONDS})
"""


def stop_in_order(patience: int, seconds: int) -> tuple[list[str], int, str]:
    """Ask a worker to stop in the middle of a run; its state after that, what a reaper leaves, what to print."""
    with make_world(SEED, on_servers=False, lease_seconds=600) as world:
        worker = world.workers[0]
        world.environment["NEMESIS_PATIENCE"] = str(patience)
        with Keeper([worker], world.environment) as keeper:
            world.run(ACCEPT.replace("SECONDS", str(seconds)))
            wait_until(lambda: bool(world.evidence().begun), 60)
            keeper.release(worker)
            if worker.pid is not None:
                signal_quietly(worker.pid, TERM)
            wait_until(lambda: worker.pid is None, 30)
            # The keeper has let go of it: whatever it still waits for, nothing is left behind.
            worker.kill_group()
        states = [run.state for run in world.evidence().recorded.values()]
        if patience < seconds:
            world.run(REAP)
        return states, len(unfinished(world.database)), world.output()


def test_a_worker_that_is_asked_to_stop_lets_its_run_end(worlds: Runs) -> None:
    states, _, story = worlds["patient"].result()
    assert states == ["succeeded"], story


def test_a_run_that_is_cut_off_need_not_wait_for_its_lease(worlds: Runs) -> None:
    states, left, story = worlds["impatient"].result()
    assert (states, left) == (["running"], 0), story


def settle(left: Callable[[float], int]) -> Drain:
    """Drain a queue whose length is a function of the seconds since the last fault."""
    seconds = [0.0]

    def pause(by: float) -> None:
        seconds[0] += by

    return drain(lambda: left(seconds[0]), clock=lambda: seconds[0], pause=pause)


@pytest.mark.parametrize(
    ("left", "remaining", "is_stalled"),
    [
        (lambda seconds: 0, 0, False),
        # One that is taken back and tried again within the minute.
        (lambda seconds: int(seconds < 50), 0, False),
        # A long queue that moves all the time is none of the platform's faults.
        (lambda seconds: max(0, 257 - int(seconds * 2)), 0, False),
        # Slower than two processes could be: not let off for moving.
        (lambda seconds: max(1, 257 - int(seconds)), 68, False),
        # Of a queue that is worked off one is left.
        (lambda seconds: max(1, 257 - int(seconds * 10)), 1, True),
        (lambda seconds: 1, 1, True),
    ],
)
def test_a_queue_that_moves_has_its_time_and_what_is_stuck_has_a_minute(
    left: Callable[[float], int], remaining: int, is_stalled: bool
) -> None:
    found = settle(left)
    assert (found.left, found.is_stalled) == (remaining, is_stalled), str(found)


GOOD = Evidence(
    accepted={"a": True, "b": False},
    begun={"a": 2, "b": 1},
    ended={"a": 1, "b": 1},
    recorded={"a": Recorded("succeeded", True, ("succeeded",)), "b": Recorded("lost", False, ("lost",))},
)


def test_the_checker_passes_what_is_good() -> None:
    assert check(GOOD).is_good


@pytest.mark.parametrize(
    ("what", "evidence"),
    [
        ("accepted without a record", replace(GOOD, accepted={"c": True})),
        ("done without a record", replace(GOOD, begun={"c": 1})),
        ("not ended", replace(GOOD, recorded={"a": Recorded("running", True, ())})),
        ("ended more or less than once", replace(GOOD, recorded={"a": Recorded("failed", True, ())})),
        (
            "ended more or less than once",
            replace(GOOD, recorded={"a": Recorded("lost", False, ("lost",) * 2)}),
        ),
        ("state and event differ", replace(GOOD, recorded={"a": Recorded("failed", True, ("succeeded",))})),
        ("lost though it may be repeated", replace(GOOD, recorded={"a": Recorded("lost", True, ("lost",))})),
        ("repeated though it may not be", replace(GOOD, begun={"a": 1, "b": 2})),
        ("succeeded without being done", replace(GOOD, ended={"b": 1})),
        ("refused with another answer than 503", replace(GOOD, refused=("500 b'oops'",))),
        (
            "two runs of one nominal time",
            replace(GOOD, recorded={key: Recorded("failed", True, ("failed",), "2 t") for key in "ab"}),
        ),
    ],
)
def test_the_checker_finds_what_is_broken(what: str, evidence: Evidence) -> None:
    assert check(evidence).broken[what]
