"""What counting and limiting calls costs, and how exact the shared limit is: `make bench ARGS="--only limits"`.

Counts: µs a call for the writer's count and its share of a flush (a second of calls, spread over endpoints). Limits: µs a
call in memory and on Redis. With Redis: four processes offer 1,000 calls a second for 60 s to a limit of 100.
`python -m benchmarks.limits [redis://…]` measures, and prints what it found as JSON.
"""

from __future__ import annotations

import json
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


def counting(calls: int = 2_000, endpoints: int = 20, rounds: int = 15) -> dict[str, list[float]]:
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
    return {"count": counted, "flush": written}


def limiting(calls: int = 20_000) -> list[float]:
    """µs a call of the limiter, in memory or on Redis as Django was prepared."""
    from endpoints.throttles import Throttle

    throttle, taken = Throttle(1, 1_000_000), []
    for _ in range(5):
        begun = time.perf_counter()
        for _ in range(calls // 5):
            throttle.takes()
        taken.append((time.perf_counter() - begun) / (calls // 5) * 1e6)
    return taken


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


def sharing(redis_url: str) -> dict[str, list[float]]:
    """Four processes at one limit: calls offered and let through, and the most of any second."""
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
    offered = sum(number for number, _ in answers)
    return {"offered": [offered], "let_through": [len(times)], "most": [most]}


def main() -> None:
    """All of it, as JSON in the last line."""
    redis_url = sys.argv[1] if len(sys.argv) > 1 else ""
    prepare(redis_url)
    found: dict[str, list[float]] = {"limit": limiting()}
    found |= sharing(redis_url) if redis_url else counting()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
