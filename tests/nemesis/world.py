"""One world to be hurt: a home, two workers, two schedulers, a client, and the servers they use."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import services

from . import servers
from .checker import Evidence, gather, unfinished
from .processes import ROOT, Keeper, Process, freeze, signal_quietly

LEASE_SECONDS = 3
SETTLE_SECONDS = 60
PREPARE = """
import django; django.setup()
from datetime import timedelta
from django.utils import timezone
from stackyard.core.workspaces import create_workspace
from stackyard.runs.schedule import replace_schedules
from stackyard.start.installation import migrate
migrate()
workspace = create_workspace("nemesis")
replace_schedules(workspace, "nemesis", 2, [
    {"cron": "", "every_seconds": 1, "timezone": "UTC", "catch_up": "all", "input": None}
])
"""


PAUSE = """
import django; django.setup()
from stackyard.runs.models import Schedule
Schedule.objects.update(paused=True)
"""


@dataclass
class World:
    """What runs, and where it leaves its traces."""

    home: Path
    database: str
    environment: dict[str, str]
    workers: list[Process]
    schedulers: list[Process]
    client: Process
    redis: servers.Redis | None = None
    postgres: servers.Postgres | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def processes(self) -> list[Process]:
        """All that are ours."""
        return [*self.workers, *self.schedulers, self.client]

    def run(self, code: str) -> None:
        """Run Python in a process of this installation. RuntimeError with its output when it fails."""
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{done.stdout}{done.stderr}")

    def evidence(self) -> Evidence:
        """What the checker reads."""
        return gather(self.home / "accepted", self.home / "effects", self.database)

    def output(self) -> str:
        """What the processes have printed."""
        parts = [(process.name, self.home / f"{process.name}.log") for process in self.processes]
        return "\n".join(f"--- {name}\n{path.read_text()}" for name, path in parts if path.exists())


@contextmanager
def make_world(
    seed: int, *, on_servers: bool, publish_only: bool = False, lease_seconds: float = LEASE_SECONDS
) -> Iterator[World]:
    """A world with an empty installation, nothing running in it yet."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stackyard-nemesis-")))
        redis = postgres = None
        if on_servers:
            redis, postgres = _start_servers(stack)
        database = postgres.url if postgres else str(home / "stackyard.sqlite3")
        environment = _environment(
            home, postgres.url if postgres else "", redis.url if redis else "", lease_seconds
        )
        environment["NEMESIS_PUBLISH_ONLY"] = "1" if publish_only else "0"
        world = World(home, database, environment, *_processes(home, seed), redis, postgres)
        world.run(PREPARE)
        yield world


def _start_servers(stack: ExitStack) -> tuple[servers.Redis, servers.Postgres]:
    program, programs = services.find_redis(), services.find_postgres()
    if program is None or programs is None:
        raise RuntimeError("redis-server and PostgreSQL are needed")
    return stack.enter_context(servers.redis(program)), stack.enter_context(servers.postgres(programs))


def _environment(home: Path, database_url: str, redis_url: str, lease_seconds: float) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.nemesis.settings",
        "STACKYARD_HOME": str(home),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "WORKERS_AT_LEAST": "1",
        "WORKERS_AT_MOST": "2",
        "STACKYARD_RUN_LEASE_SECONDS": str(lease_seconds),
        "STACKYARD_RUN_SEND_AGAIN_SECONDS": "2",
        "NEMESIS_ACCEPTED": str(home / "accepted"),
        "NEMESIS_EFFECTS": str(home / "effects"),
    }


def _processes(home: Path, seed: int) -> tuple[list[Process], list[Process], Process]:
    def make(name: str, module: str, arguments: Callable[[], list[str]] = list) -> Process:
        return Process(name, module, arguments, home / f"{name}.log")

    lives = itertools.count(seed * 1000)
    return (
        [make(f"worker-{n}", "stackyard.start.worker") for n in (1, 2)],
        [make(f"scheduler-{n}", "stackyard.start.scheduler") for n in (1, 2)],
        make("client", "tests.nemesis.client", lambda: [str(next(lives))]),
    )


def faults_of(world: World, chance: random.Random) -> dict[str, Callable[[], None]]:
    """Every fault this world can have, by name."""

    def pool_child(deed: Callable[[int], None]) -> None:
        children = chance.choice(world.workers).children()
        if children:
            deed(chance.choice(children))

    def main(processes: list[Process], deed: Callable[[int], None]) -> None:
        pid = chance.choice(processes).pid
        if pid is not None:
            deed(pid)

    def kill(pid: int) -> None:
        signal_quietly(pid, servers.KILL)

    faults: dict[str, Callable[[], None]] = {
        "kill -9 worker": lambda: main(world.workers, kill),
        "kill -9 worker and its pool": lambda: chance.choice(world.workers).kill_group(),
        "kill -9 pool child": lambda: pool_child(kill),
        "kill -9 scheduler": lambda: main(world.schedulers, kill),
        "kill -9 client": lambda: main([world.client], kill),
        "freeze a pool child past its lease": lambda: pool_child(
            lambda pid: freeze(pid, LEASE_SECONDS + 1.5)
        ),
        "stop a worker in order": lambda: main(world.workers, lambda pid: signal_quietly(pid, servers.TERM)),
    }
    if world.redis is not None:
        redis = world.redis
        faults["kill -9 Redis, back after 1 s"] = lambda: redis.kill_and_restart(1)
        faults["freeze Redis for 3 s"] = lambda: redis.freeze(3)
        faults["Redis a black hole for 3 s"] = lambda: redis.black_hole(3)
    if world.postgres is not None:
        faults["crash and restart of PostgreSQL"] = world.postgres.restart_as_after_a_crash
    return faults


def torment(
    world: World,
    count: int,
    seed: int,
    say: Callable[[str], None] = lambda line: None,
    settle_seconds: float = SETTLE_SECONDS,
) -> None:
    """Run the world under `count` faults, each kind equally often, in an order by the seed; then let it settle."""
    chance = random.Random(seed)
    faults = faults_of(world, chance)
    order: list[str] = []
    while len(order) < count:
        order += chance.sample(sorted(faults), len(faults))
    began = time.monotonic()
    with Keeper(world.processes, world.environment) as keeper:
        wait_until(lambda: bool(world.evidence().ended), 40)
        for name in order[:count]:
            time.sleep(chance.uniform(0.2, 1.2))
            say(f"{time.monotonic() - began:7.1f} s  {name}")
            world.faults.append(name)
            faults[name]()
        keeper.retire([world.client])
        world.run(PAUSE)
        wait_until(lambda: not unfinished(world.database), settle_seconds)
        say(f"{time.monotonic() - began:7.1f} s  settled")


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
