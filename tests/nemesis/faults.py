"""Every fault that a world can have."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import servers
from .processes import Process, freeze, freeze_all, signal_quietly

if TYPE_CHECKING:
    from .world import World

HOURS = 4


def faults_of(world: World, chance: random.Random, lease_seconds: float) -> dict[str, Callable[[], None]]:
    """Every fault this world can have, by name."""
    past_lease = lease_seconds + 1.5

    def child(processes: list[Process], deed: Callable[[int], None]) -> None:
        children = chance.choice(processes).children()
        if children:
            deed(chance.choice(children))

    def main(processes: list[Process], deed: Callable[[int], None]) -> None:
        pid = chance.choice(processes).pid
        if pid is not None:
            deed(pid)

    def kill(pid: int) -> None:
        signal_quietly(pid, servers.KILL)

    def freeze_whole(process: Process, seconds: float) -> None:
        if process.pid is not None:
            freeze_all([process.pid, *process.children()], seconds)

    faults: dict[str, Callable[[], None]] = {
        "kill -9 worker": lambda: main(world.workers, kill),
        "kill -9 worker and its pool": lambda: chance.choice(world.workers).kill_group(),
        "kill -9 pool child": lambda: child(world.workers, kill),
        "kill -9 scheduler": lambda: main(world.schedulers, kill),
        "kill -9 client": lambda: main([world.client], kill),
        "kill -9 web server": lambda: world.web.kill_group(),
        "kill -9 web worker": lambda: child([world.web], kill),
        "freeze a pool child past its lease": lambda: child(
            world.workers, lambda pid: freeze(pid, past_lease)
        ),
        "freeze a worker and its pool past their leases": lambda: freeze_whole(
            chance.choice(world.workers), past_lease
        ),
        "freeze a scheduler for 2 s": lambda: main(world.schedulers, lambda pid: freeze(pid, 2)),
        "stop a worker in order": lambda: main(world.workers, lambda pid: signal_quietly(pid, servers.TERM)),
        f"clock {HOURS} h ahead for 2 s": lambda: world.move_clock(HOURS, 2),
        f"clock {HOURS} h behind for 2 s": lambda: world.move_clock(-HOURS, 2),
    }
    if world.redis is not None:
        redis = world.redis
        faults["kill -9 Redis, back after 1 s"] = lambda: redis.kill_and_restart(1)
        faults["freeze Redis for 3 s"] = lambda: redis.freeze(3)
        faults["Redis a black hole for 3 s"] = lambda: redis.black_hole(3)
    if world.postgres is not None:
        faults["crash and restart of PostgreSQL"] = world.postgres.restart_as_after_a_crash
    else:
        faults["disk full for 2 s"] = lambda: world.disk.be_full(2, world.pids)
    if not world.has_web:
        faults = {name: deed for name, deed in faults.items() if "web" not in name}
    return faults
