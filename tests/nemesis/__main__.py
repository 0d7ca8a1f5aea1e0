"""`make nemesis`: NEMESIS_FAULTS faults (200) by NEMESIS_SEED, on SQLite alone and on PostgreSQL with Redis."""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter

from tests import services

from .checker import Verdict, check
from .world import World, make_world, torment


def main() -> int:
    """Run both worlds, print what happened; 1 when a promise was broken."""
    faults = int(os.environ.get("NEMESIS_FAULTS", "200"))
    seed = int(os.environ.get("NEMESIS_SEED") or random.randrange(1_000_000))
    print(f"{faults} faults, NEMESIS_SEED={seed}", flush=True)
    names = os.environ.get("NEMESIS_WORLDS", "embedded,servers").split(",")
    if "servers" in names and not (services.find_redis() and services.find_postgres()):
        print("redis-server or PostgreSQL is not installed: on SQLite alone")
        names = ["embedded"]
    good = [run(name, faults // len(names), seed) for name in names]
    return 0 if all(good) else 1


def run(name: str, faults: int, seed: int) -> bool:
    """One world; whether every promise was kept."""
    print(f"\n{name}", flush=True)
    began = time.monotonic()
    with make_world(seed, on_servers=name == "servers") as world:
        torment(world, faults, seed, lambda line: print(line, flush=True))
        verdict = check(world.evidence())
        print(table(world, verdict, time.monotonic() - began), flush=True)
        if not verdict.is_good or os.environ.get("NEMESIS_OUTPUT") == "1":
            print(world.output())
    return verdict.is_good


def table(world: World, verdict: Verdict, seconds: float) -> str:
    """What was done to this world, what happened in it, and what was broken."""
    rows = [f"  {count:6}  {fault}" for fault, count in sorted(Counter(world.faults).items())]
    rows += [f"  {process.starts:6}  starts of {process.name}" for process in world.processes]
    rows += [f"  {count:6}  {what}" for what, count in verdict.counts.items()]
    rows += [f"  {len(runs):6}  {what}  {' '.join(runs[:3])}" for what, runs in verdict.broken.items()]
    rows += [f"  {world.drained}"] if world.drained else []
    return "\n".join([*rows, f"  {'kept' if verdict.is_good else 'BROKEN'}, after {seconds:.0f} s"])


if __name__ == "__main__":
    sys.exit(main())
