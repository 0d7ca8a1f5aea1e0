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
from statistics import median

from benchmarks import (
    access,
    endpoint_count,
    figures,
    history,
    lambda_endpoint,
    limits,
    prefect_peer,
    runs,
    servers,
    versus_drf,
)
from tests import services

OUTPUT = servers.ROOT / "var" / "benchmarks"
BENCHMARKS = (
    "drf",
    "loop",
    "endpoints",
    "lambdas",
    "lambda_endpoint",
    "runs",
    "imports",
    "tables",
    "history",
    "access",
    "limits",
)


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
    if "lambda_endpoint" in wanted:
        reached.append(run_lambda_endpoint(options.rounds, options.seconds))
    if "runs" in wanted:
        reached.append(run_runs())
    if "imports" in wanted:
        reached.append(run_imports())
    if "tables" in wanted:
        reached.append(run_tables())
    if "history" in wanted:
        reached.append(run_history())
    if "access" in wanted:
        reached.append(run_access())
    if "limits" in wanted:
        reached.append(run_limits())
    if "drf" in wanted:
        reached.append(run_drf(options.rounds, options.seconds))
    print(f"Rounds: {OUTPUT}")
    return 0 if all(reached) else 1


def run_access() -> bool:
    """What a key, a JWT and an OAuth token add to a call."""
    with tempfile.TemporaryDirectory(prefix="stackyard-bench-") as home:
        environment = {**os.environ, "STACKYARD_HOME": home, "DATABASE_URL": ""}
        command = [sys.executable, "-m", "benchmarks.access"]
        done = subprocess.run(command, cwd=servers.ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    told: dict[str, dict[str, float]] = json.loads(done.stdout)
    print("\nKnowing the caller, processor time added to a call")
    for what, cost in told.items():
        goal = access.GOALS[what]
        print(
            f"  {what:6} {cost['cached']:6.1f} µs (at most {goal:.0f}), not cached {cost['uncached']:7.1f} µs"
        )
    return all(cost["cached"] <= access.GOALS[what] for what, cost in told.items())


def run_limits() -> bool:
    """What limiting and counting a call costs, and how exact the limit is that four processes share."""
    found = measure_limits("")
    goals = [
        figures.Goal("limiter in memory, µs a call", found["limit"], 20),
        figures.Goal("counting a call, µs", found["count"], 20),
        figures.Goal("its share of a flush, µs", found["flush"], 10),
    ]
    program = services.find_redis()
    if program is None:
        print("redis-server is not installed: left out")
    else:
        with services.redis(program) as url:
            found = measure_limits(url)
        sought = limits.LIMIT * limits.SECONDS
        what = f"four processes, {found['offered'][0]:,.0f} calls offered to a limit of {sought:,}"
        goals += [
            figures.Goal("limiter on Redis, µs a call", found["limit"], 150),
            figures.Goal(f"{what}: let through", found["let_through"], sought * 1.01),
            figures.Goal(f"{what}: no fewer", found["let_through"], sought * 0.99, more=True),
            figures.Goal("the most of any second", found["most"], 105),
        ]
    return report_goals("Limits of calls", "limits", goals)


def measure_limits(redis_url: str) -> dict[str, list[float]]:
    """What benchmarks.limits finds in an empty installation."""
    with tempfile.TemporaryDirectory(prefix="stackyard-bench-") as home:
        environment = {"STACKYARD_HOME": home, "DATABASE_URL": "", "WEB_PROCESSES": "4"}
        found = servers.run_module(["benchmarks.limits", redis_url], environment).splitlines()[-1]
    return dict(json.loads(found))


IMPORTED_PER_SECOND = 50_000
IMPORT_GROWTH_MB, IMPORT_MB = 50, 150


def run_imports() -> bool:
    """CSV import on SQLite and, where it is installed, on PostgreSQL, beside the bare driver."""
    reached = [_import_figures("SQLite", "")]
    programs = services.find_postgres()
    if programs is not None:
        with two_postgres_databases(programs) as databases:
            reached.append(_import_figures("PostgreSQL", next(iter(databases.values()))))
    return all(reached)


def _import_figures(name: str, database_url: str) -> bool:
    with tempfile.TemporaryDirectory(prefix="stackyard-bench-") as home:
        environment = {**os.environ, "STACKYARD_HOME": home, "DATABASE_URL": database_url}
        command = [sys.executable, "-m", "benchmarks.imports"]
        done = subprocess.run(command, cwd=servers.ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    told = json.loads(done.stdout)
    grown = told["mb"] - told["mb_before"]
    print(
        f"CSV import, {name}: {told['per_second']:,.0f} rows/s of nine columns"
        f" ({told['driver_per_second'] / told['per_second']:.1f} times the bare driver's time, which checks nothing);"
        f" memory grew by {grown:.0f} MB to {told['mb']:.0f} MB",
        flush=True,
    )
    is_small = grown <= IMPORT_GROWTH_MB and told["mb"] <= IMPORT_MB
    return bool(told["per_second"] >= IMPORTED_PER_SECOND and is_small)


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
    found = endpoint_count.compare(rounds=100)
    title = f"CPU µs a request with {endpoint_count.MANY:,} endpoints and with {endpoint_count.FEW}"
    return report_cost(title, "endpoints", {"many": found["many"], "few": found["few"]}, 1.05)


def run_runs() -> bool:
    """Durable runs: from accepting to starting, and 40 after one another; without Redis and, where it is, with it."""
    goals = [figures.Goal("SQLite, no Redis: accept to start, ms", measure_runs()["start_ms"], 50)]
    program, programs = services.find_redis(), services.find_postgres()
    if program is None:
        print("redis-server is not installed: left out")
    else:
        goals += goals_with_redis("SQLite", program, "")
        if programs is None:
            print("PostgreSQL is not installed: left out")
        else:
            with services.postgres(programs) as url:
                goals += goals_with_redis("PostgreSQL", program, url)
    reached = report_goals("Durable runs of a function that answers at once", "runs", goals)
    in_turn = [goal for goal in goals if "runs in turn" in goal.what]
    if in_turn:
        run_prefect(in_turn[0])
    return reached


def goals_with_redis(database: str, program: str, database_url: str) -> list[figures.Goal]:
    """What is measured where Redis carries the messages."""
    with services.redis(program) as url:
        found = measure_runs(url, database_url)
    return [
        figures.Goal(f"{database}, Redis: accept to start, ms", found["start_ms"], 5),
        figures.Goal(f"{database}, Redis: {runs.RUNS} runs in turn, s", found["seconds"], 0.4),
        figures.Goal(f"{database}, Redis: {runs.RUNS} lambdas in turn, s", found["lambda_seconds"], 0.4),
    ]


def measure_runs(redis_url: str = "", database_url: str = "") -> dict[str, list[float]]:
    """What benchmarks.runs finds in an empty installation."""
    with tempfile.TemporaryDirectory(prefix="stackyard-bench-") as home:
        environment = {"STACKYARD_HOME": home, "DATABASE_URL": database_url, "REDIS_URL": redis_url}
        found = servers.run_module(["benchmarks.runs"], environment).splitlines()[-1]
    return dict(json.loads(found))


def run_prefect(ours: figures.Goal) -> None:
    """Prefect beside our runs in turn; it is no goal, and may not be had here."""
    try:
        found = prefect_peer.seconds(OUTPUT)
    except prefect_peer.NoPeer as error:
        print(f"Prefect does not run here: {error}")
        return
    for what, name in (("tasks of one flow", "tasks"), ("flows", "flows")):
        title = f"{prefect_peer.RUNS} durable runs in turn, and {prefect_peer.RUNS} {what} of Prefect's in one process, s"
        figures.print_beside(title, {"ours": ours.values, "Prefect": found[name]})
    (OUTPUT / "prefect.json").write_text(json.dumps({"name": "prefect", "ours": list(ours.values), **found}))


def run_lambda_endpoint(rounds: int, seconds: float) -> bool:
    """An endpoint that runs a warm lambda with each call, and the same endpoint without one."""
    goals = []
    for database, url in each_database():
        found = lambda_endpoint.run({"DATABASE_URL": url}, rounds, seconds)
        rates = [one.per_second for one in found.with_lambda]
        plain = [one.per_second for one in found.without]
        least = lambda_endpoint.LEAST_PER_SECOND
        goals.append(
            figures.Goal(f"{database}: calls a second, a warm lambda in each", rates, least, more=True)
        )
        goals.append(figures.Goal(f"{database}: the same without a lambda", plain, 0, more=True))
    return report_goals("An endpoint with key, limiter and history, 16 clients", "lambda_endpoint", goals)


def each_database() -> Iterator[tuple[str, str]]:
    """SQLite, and a PostgreSQL where it is installed: name and URL."""
    yield "SQLite", ""
    programs = services.find_postgres()
    if programs is None:
        print("PostgreSQL is not installed: left out")
        return
    with services.postgres(programs) as url:
        yield "PostgreSQL", url


def report_goals(title: str, name: str, goals: list[figures.Goal]) -> bool:
    """Print goals and keep their rounds; whether all were reached."""
    reached = figures.print_goals(title, goals)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    rows = [{"what": goal.what, "goal": goal.bound, "values": list(goal.values)} for goal in goals]
    (OUTPUT / f"{name}.json").write_text(json.dumps({"name": name, "goals": rows}, indent=1))
    return reached


def run_history() -> bool:
    """The lists of a request history of a million calls, on SQLite; half a gigabyte in the temporary folder."""
    with tempfile.TemporaryDirectory(prefix="stackyard-bench-") as home:
        environment = {"STACKYARD_HOME": home, "DATABASE_URL": ""}
        found = json.loads(servers.run_module(["benchmarks.history"], environment).splitlines()[-1])
    goals = [figures.Goal(what, values, history.GOAL_MS) for what, values in found.items()]
    return report_goals("A request history of a million calls, listed, ms", "history", goals)


TABLE_GOALS = {
    # The most that ours may cost, as a multiple of plain SQL's (data.md §10).
    "get, CPU µs": 1.5,
    "page of 20, first, µs": 2.5,
    "page of 20, at row 500,000, µs": 2.5,
    "page of 20, filtered, µs": 2.5,
    "groups of a million, ms": 2.0,
}


FIELD_CHANGE_MS = 50


def run_tables() -> bool:
    """The store against plain SQL over a million records; on SQLite they are kept in the temporary folder."""
    home = Path(tempfile.gettempdir()) / "stackyard-bench-tables"
    found = {"SQLite": measure_tables({"STACKYARD_HOME": str(home), "DATABASE_URL": ""})}
    programs = services.find_postgres()
    if programs is None:
        print("PostgreSQL is not installed: left out")
    else:
        with two_postgres_databases(programs) as databases, tempfile.TemporaryDirectory() as empty:
            environment = {"STACKYARD_HOME": empty, "DATABASE_URL": databases["ours"]}
            found["PostgreSQL"] = measure_tables(environment)
    goals = [
        figures.Goal(
            f"{database}: {what}, by plain SQL's ({median(sides['plain']):.3g})",
            [one / other for one, other in zip(sides["ours"], sides["plain"], strict=True)],
            TABLE_GOALS[what],
        )
        for database, measured in found.items()
        for what, sides in measured.items()
        if "plain" in sides
    ]
    goals += [
        figures.Goal(f"{database}: {what}", sides["ours"], FIELD_CHANGE_MS)
        for database, measured in found.items()
        for what, sides in measured.items()
        if "plain" not in sides
    ]
    reached = figures.print_goals("The store by plain SQL, a million records", goals)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / "tables.json").write_text(json.dumps({"name": "tables", **found}, indent=1))
    return reached


def measure_tables(environment: dict[str, str]) -> dict[str, dict[str, list[float]]]:
    """What benchmarks.tables finds in an installation."""
    return dict(json.loads(servers.run_module(["benchmarks.tables"], environment).splitlines()[-1]))


def report_cost(title: str, name: str, found: dict[str, list[float]], most: float) -> bool:
    """Print the ratio of two costs and keep them; whether it is at most `most`."""
    ratio = figures.print_cost(title, found, most)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / f"{name}.json").write_text(json.dumps({"name": name, "ratio": ratio, **found}, indent=1))
    return ratio <= most


if __name__ == "__main__":
    sys.exit(main())
