"""What counting and limiting calls costs, and how exact the shared limit is: `python -m benchmarks.limits [redis://…]`.

Counts: µs a call for the writer's count and its share of a flush (a second of calls, spread over endpoints). Limits: µs a
call in memory and on Redis. With Redis: four processes offer 1,000 calls a second for 60 s to a limit of 100.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from types import SimpleNamespace
from typing import Any

SECONDS = 60
LIMIT = 100


def prepare(redis_url: str = "") -> None:
    """Django over a home of its own."""
    os.environ.setdefault("STACKYARD_HOME", tempfile.mkdtemp())
    os.environ["REDIS_URL"] = redis_url
    os.environ["DJANGO_SETTINGS_MODULE"] = "stackyard.settings"
    import django

    django.setup()


def counting(calls: int = 2_000, endpoints: int = 20, rounds: int = 15) -> None:
    """µs a call: counting it, and its share of writing a second's calls."""
    from django.core.management import call_command

    from endpoints.rollups import Tally

    call_command("migrate", database="history", verbosity=0, interactive=False)
    plans: list[Any] = [
        SimpleNamespace(group=SimpleNamespace(workspace_id=1), endpoint_id=number + 1)
        for number in range(endpoints)
    ]
    counted, written = [], []
    for turn in range(rounds):
        tally = Tally()
        noted: list[Any] = [
            SimpleNamespace(
                plan=plans[number % endpoints],
                started_at=1e9 + turn,
                duration_ns=(number * 7919) % 50_000_000,
                status=200 if number % 50 else 500,
                error_code="" if number % 50 else "X",
                place="",
                request_id="r",
            )
            for number in range(calls)
        ]
        begun = time.perf_counter()
        for call in noted:
            tally.count(call)
        between = time.perf_counter()
        tally.write()
        counted.append((between - begun) / calls * 1e6)
        written.append((time.perf_counter() - between) / calls * 1e6)
    print(
        f"count {median(counted):.1f} µs a call, flush {median(written):.1f} µs a call ({calls} calls, {endpoints} endpoints)"
    )


def limiting(name: str, calls: int = 20_000) -> None:
    """µs a call of one limiter."""
    from endpoints.throttles import Throttle

    throttle, taken = Throttle(1, 1_000_000), []
    for _ in range(5):
        begun = time.perf_counter()
        for _ in range(calls // 5):
            throttle.takes()
        taken.append((time.perf_counter() - begun) / (calls // 5) * 1e6)
    print(f"limit {name}: {median(taken):.1f} µs a call")


def median(values: list[float]) -> float:
    """The middle one."""
    return sorted(values)[len(values) // 2]


def offer(redis_url: str, begin_at: float, found: Any) -> None:
    """Offer a quarter of 1,000 calls a second; the times of those that were let through."""
    prepare(redis_url)
    from endpoints.throttles import Throttle

    throttle, let_through, number = Throttle(4711, LIMIT), [], 0
    time.sleep(max(0.0, begin_at - time.time()))
    begun = time.monotonic()
    while (now := time.monotonic() - begun) < SECONDS:
        if number / 250 > now:
            time.sleep(0.001)
            continue
        number += 1
        if throttle.takes():
            let_through.append(time.monotonic())
    found.put((number, let_through))


def sharing(redis_url: str) -> None:
    """Four processes at one limit."""
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    begin_at = time.time() + 5
    processes = [context.Process(target=offer, args=(redis_url, begin_at, found)) for _ in range(4)]
    for process in processes:
        process.start()
    answers = [found.get() for _ in processes]
    for process in processes:
        process.join()
    times = sorted(at for _, let in answers for at in let)
    first, most = 0, 0
    for last, at in enumerate(times):
        while times[first] <= at - 1:
            first += 1
        most = max(most, last - first + 1)
    print(
        f"offered {sum(n for n, _ in answers)}, let through {len(times)} in {SECONDS} s, at most {most} in any second"
    )


def main() -> None:
    """All of it."""
    redis_url = sys.argv[1] if len(sys.argv) > 1 else ""
    prepare(redis_url)
    counting()
    if redis_url:
        limiting("on Redis")
        sharing(redis_url)
    else:
        limiting("in memory")


if __name__ == "__main__":
    main()
