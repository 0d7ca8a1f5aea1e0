"""Every benchmark against its peer: `make bench`, or `make bench ARGS="--only drf --rounds 3"`.

Prints ratios as tables and keeps every round as JSON under `var/benchmarks/`. On a machine that does
other things at the same time read the ratios and their spread, not the absolute figures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import endpoint_count, figures, servers, versus_drf
from tests import services

OUTPUT = servers.ROOT / "var" / "benchmarks"
BENCHMARKS = ("drf", "loop", "endpoints", "lambdas", "runs")


def main() -> int:
    """Run what was asked for; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="this one (may be repeated)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the HTTP benchmark (5)")
    parser.add_argument("--seconds", type=float, default=3, help="seconds of one measurement (3)")
    options = parser.parse_args()
    wanted = options.only or BENCHMARKS
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}", flush=True)
    reached = []
    if "loop" in wanted:
        reached.append(run_loop())
    if "endpoints" in wanted:
        reached.append(run_endpoints())
    if "lambdas" in wanted:
        # In an installation of its own: the runtime reads Django's settings, nothing else of Django.
        with tempfile.TemporaryDirectory(prefix="stackyard-bench-") as home:
            command = [sys.executable, "-m", "benchmarks.lambdas"]
            done = subprocess.run(command, cwd=servers.ROOT, env={**os.environ, "STACKYARD_HOME": home})
        reached.append(done.returncode == 0)
    if "runs" in wanted:
        reached.append(run_runs())
    if "drf" in wanted:
        reached.append(run_drf(options.rounds, options.seconds))
    print(f"Rounds: {OUTPUT}")
    return 0 if all(reached) else 1


def run_drf(rounds: int, seconds: float) -> bool:
    """Ours against Django REST framework, on SQLite and, where it is installed, on PostgreSQL."""
    title = f"Requests per second against Django REST framework, {versus_drf.ENDPOINTS:,} endpoints"
    comparisons = versus_drf.compare("SQLite", {}, rounds, seconds)
    figures.print_comparisons(title, comparisons)
    programs = services.find_postgres()
    if programs is None:
        print("PostgreSQL is not installed: left out")
    else:
        with two_postgres_databases(programs) as databases:
            on_postgres = versus_drf.compare("PostgreSQL", databases, rounds, seconds)
        figures.print_comparisons(title, on_postgres)
        comparisons += on_postgres
    figures.write_json(OUTPUT / "drf.json", "drf", comparisons)
    return all(one.is_reached for one in comparisons)


@contextmanager
def two_postgres_databases(programs: Path) -> Iterator[dict[str, str]]:
    """One server, tuned as it comes but without waiting for the disk; a database for each side."""
    import psycopg

    with services.postgres(programs) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for name in ("ours", "peer"):
                connection.execute(f"CREATE DATABASE {name}")
        yield {name: url.removesuffix("postgres") + name for name in ("ours", "peer")}


def run_loop() -> bool:
    """The stack with a loop against plain Python."""
    with tempfile.TemporaryDirectory(prefix="stackyard-bench-") as home:
        environment = {"STACKYARD_HOME": home, "DATABASE_URL": ""}
        found = json.loads(servers.run_module(["benchmarks.loop"], environment))
    return report_cost("Ten lines with a loop over 100 records, CPU µs a run", "loop", found, 4)


def run_endpoints() -> bool:
    """Many endpoints against few."""
    found = endpoint_count.compare(rounds=25)
    title = f"CPU µs a request with {endpoint_count.MANY:,} endpoints and with {endpoint_count.FEW}"
    return report_cost(title, "endpoints", {"many": found["many"], "few": found["few"]}, 1.05)


def run_runs() -> bool:
    """Durable runs: from accepting to starting, and 40 after one another; without Redis and, where it is, with it."""
    goals = [figures.Goal("SQLite, no Redis: accept to start, ms", measure_runs("")["start_ms"], 50)]
    redis = services.find_redis()
    if redis is None:
        print("redis-server is not installed: left out")
    else:
        with services.redis(redis) as url:
            found = measure_runs(url)
        goals.append(figures.Goal("SQLite, Redis: accept to start, ms", found["start_ms"], 5))
        goals.append(figures.Goal("SQLite, Redis: 40 runs in turn, s", found["seconds"], 0.4))
    reached = figures.print_goals("Durable runs of a function that answers at once", goals)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    rows = [{"what": goal.what, "most": goal.most, "values": list(goal.values)} for goal in goals]
    (OUTPUT / "runs.json").write_text(json.dumps({"name": "runs", "goals": rows}, indent=1))
    return reached


def measure_runs(redis_url: str) -> dict[str, list[float]]:
    """What benchmarks.runs finds in an empty installation on SQLite."""
    with tempfile.TemporaryDirectory(prefix="stackyard-bench-") as home:
        environment = {"STACKYARD_HOME": home, "DATABASE_URL": "", "REDIS_URL": redis_url}
        found = servers.run_module(["benchmarks.runs"], environment).splitlines()[-1]
    return dict(json.loads(found))


def report_cost(title: str, name: str, found: dict[str, list[float]], most: float) -> bool:
    """Print the ratio of two costs and keep them; whether it is at most `most`."""
    ratio = figures.print_cost(title, found, most)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / f"{name}.json").write_text(json.dumps({"name": name, "ratio": ratio, **found}, indent=1))
    return ratio <= most


if __name__ == "__main__":
    sys.exit(main())
