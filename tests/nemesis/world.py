"""One world to be hurt: a home, two workers, two schedulers, a web server, who uses them, and the servers they use."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import services

from . import servers
from .checker import Evidence, gather, pause_schedules, unfinished
from .disk import Disk, disk
from .drain import SETTLE_SECONDS, Drain, drain
from .faults import faults_of
from .processes import ROOT, Keeper, Process

LEASE_SECONDS = 3
PREPARE = """
import django; django.setup()
from tests.nemesis.step import prepare
prepare()
"""
_template = tempfile.TemporaryDirectory(prefix="stackyard-nemesis-", ignore_cleanup_errors=True)
_preparing = threading.Lock()


@dataclass
class World:
    """What runs, and where it leaves its traces."""

    home: Path
    traces: Path
    disk: Disk
    database: str
    environment: dict[str, str]
    workers: list[Process]
    schedulers: list[Process]
    web: Process
    client: Process
    caller: Process
    redis: servers.Redis | None = None
    postgres: servers.Postgres | None = None
    faults: list[str] = field(default_factory=list)
    drained: Drain | None = None
    has_web: bool = True

    @property
    def processes(self) -> list[Process]:
        """All that are ours."""
        return [
            *self.workers,
            *self.schedulers,
            self.client,
            *([self.web, self.caller] if self.has_web else []),
        ]

    @property
    def is_busy(self) -> bool:
        """Whether every door was gone through, and something was done: the faults may begin."""
        found = self.evidence()
        return bool(found.ended and (found.over_http >= 3 or not self.has_web))

    def pids(self) -> list[int]:
        """The ids of all that runs of it."""
        mains = [process.pid for process in self.processes]
        return [pid for pid in mains if pid is not None] + [
            pid for process in self.processes for pid in process.children()
        ]

    def move_clock(self, hours: float, seconds: float) -> None:
        """The clock of all processes, but not the database's, is wrong for a while."""
        Path(self.environment["NEMESIS_CLOCK"]).write_text(str(hours))
        time.sleep(seconds)
        Path(self.environment["NEMESIS_CLOCK"]).write_text("0")

    def run(self, code: str) -> None:
        """Run Python in a process of this installation. RuntimeError with its output when it fails."""
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{done.stdout}{done.stderr}")

    def evidence(self) -> Evidence:
        """What the checker reads."""
        return gather(self.traces, self.database)

    def output(self) -> str:
        """What the processes have printed."""
        parts = [(process.name, self.traces / f"{process.name}.log") for process in self.processes]
        return "\n".join(f"--- {name}\n{path.read_text()}" for name, path in parts if path.exists())


@contextmanager
def make_world(
    seed: int, *, on_servers: bool, publish_only: bool = False, lease_seconds: float = LEASE_SECONDS
) -> Iterator[World]:
    """A world with an empty installation, nothing running in it yet."""
    with ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="stackyard-nemesis-", ignore_cleanup_errors=True)
        home, traces = Path(stack.enter_context(folder)) / "home", Path(folder.name) / "traces"
        home.mkdir()
        traces.mkdir()
        own_disk = stack.enter_context(disk(home))
        redis = postgres = None
        if on_servers:
            redis, postgres = _start_servers(stack)
        database = postgres.url if postgres else str(home / "stackyard.sqlite3")
        environment = _environment(
            home, traces, postgres.url if postgres else "", redis.url if redis else "", lease_seconds
        )
        environment["NEMESIS_PUBLISH_ONLY"] = "1" if publish_only else "0"
        processes = _processes(traces, seed, environment["PORT"])
        world = World(home, traces, own_disk, database, environment, *processes, redis, postgres)
        _prepare(world)
        yield world


def _prepare(world: World) -> None:
    """An installation in its home; on SQLite it is made once, and every further world begins with a copy."""
    if world.postgres is not None:
        world.run(PREPARE)
        return
    made = Path(_template.name) / "home"
    with _preparing:
        if not made.exists():
            world.run(PREPARE)
            shutil.copytree(world.home, made)
            return
    shutil.copytree(made, world.home, dirs_exist_ok=True)


def _start_servers(stack: ExitStack) -> tuple[servers.Redis, servers.Postgres]:
    program, programs = services.find_redis(), services.find_postgres()
    if program is None or programs is None:
        raise RuntimeError("redis-server and PostgreSQL are needed")
    return stack.enter_context(servers.redis(program)), stack.enter_context(servers.postgres(programs))


def _environment(
    home: Path, traces: Path, database_url: str, redis_url: str, lease_seconds: float
) -> dict[str, str]:
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
        "HOST": "127.0.0.1",
        "PORT": str(services.free_port()),
        "NEMESIS_ACCEPTED": str(traces / "accepted"),
        "NEMESIS_EFFECTS": str(traces / "effects"),
        "NEMESIS_REFUSED": str(traces / "refused"),
        "NEMESIS_CLOCK": str(traces / "clock"),
    }


def _processes(
    traces: Path, seed: int, port: str
) -> tuple[list[Process], list[Process], Process, Process, Process]:
    def make(name: str, module: str, arguments: Callable[[], list[str]] = list) -> Process:
        return Process(name, module, arguments, traces / f"{name}.log")

    lives = itertools.count(seed * 1000)
    return (
        [make(f"worker-{n}", "stackyard.start.worker") for n in (1, 2)],
        [make(f"scheduler-{n}", "stackyard.start.scheduler") for n in (1, 2)],
        make("web", "stackyard.start.web"),
        make("client", "tests.nemesis.client", lambda: [str(next(lives))]),
        make("caller", "tests.nemesis.caller", lambda: [str(next(lives)), port]),
    )


def torment(
    world: World,
    count: int,
    seed: int,
    say: Callable[[str], None] = lambda line: None,
    settle_seconds: float = SETTLE_SECONDS,
) -> None:
    """Run the world under `count` faults, each kind equally often, in an order by the seed; then let it settle."""
    chance = random.Random(seed)
    faults = faults_of(world, chance, float(world.environment["STACKYARD_RUN_LEASE_SECONDS"]))
    order: list[str] = []
    while len(order) < count:
        order += chance.sample(sorted(faults), len(faults))
    began = time.monotonic()
    with Keeper(world.processes, world.environment) as keeper:
        wait_until(lambda: world.is_busy, 60)
        for name in order[:count]:
            time.sleep(chance.uniform(0.2, 1.2))
            say(f"{time.monotonic() - began:7.1f} s  {name}")
            world.faults.append(name)
            faults[name]()
        keeper.retire([world.client, world.caller])
        pause_schedules(world.database)
        world.drained = drain(lambda: len(unfinished(world.database)), settle_seconds, say=say)
        say(f"{time.monotonic() - began:7.1f} s  {world.drained}")


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
