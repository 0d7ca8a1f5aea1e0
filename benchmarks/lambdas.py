"""The lambda runtime through its supervisor: `python -m benchmarks.lambdas [LAUNCHER …]`.

Warm, from a spare, cold, calls a second, fresh processes a second, a call back to the platform, and the
memory of an idle slot. Goals stand in the table; the container launcher's figures are there for comparison.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from lambdas.launchers import CannotLaunch, Launched
from lambdas.supervisor import Job, Supervisor
from tests import slots

OUTPUT = Path(__file__).resolve().parents[1] / "var" / "benchmarks"
TRIVIAL = "return { ok: true }"
SECONDS = 3.0


@dataclass(frozen=True)
class Figures:
    """What was measured with one launcher: milliseconds, calls a second, megabytes."""

    launcher: str
    warm_p50: float
    warm_p99: float
    spare_p50: float
    spare_p99: float
    cold_p50: float
    warm_per_second: float
    fresh_per_second: float
    call_back: float
    idle_pss: float


# Figure → (words, goal, whether more is better); goals of the plain process, and of bubblewrap where they differ.
GOALS: dict[str, tuple[str, float, bool]] = {
    "warm_p50": ("warm call p50, ms", 1, False),
    "warm_p99": ("warm call p99, ms", 5, False),
    "spare_p50": ("first call from a spare p50, ms", 5, False),
    "spare_p99": ("first call from a spare p99, ms", 0, False),
    "cold_p50": ("first call without a spare p50, ms", 40, False),
    "warm_per_second": ("warm calls a second", 2_000, True),
    "fresh_per_second": ("fresh processes a second", 60, True),
    "call_back": ("db.get over its query, ms", 0.5, False),
    "idle_pss": ("idle slot PSS, MB", 25, False),
}
BUBBLEWRAP_FRESH = 45


class Nothing:
    """Answers calls at once."""

    def call(self, method: str, params: list[object]) -> object:
        """A record."""
        return {"id": 1, "name": "Ann"}


def milliseconds(deed: Callable[[], object]) -> float:
    """How long one deed takes."""
    began = time.perf_counter()
    deed()
    return (time.perf_counter() - began) * 1000


def percentile(found: list[float], part: float) -> float:
    """The value below which `part` of them lie."""
    return sorted(found)[min(len(found) - 1, int(len(found) * part))]


def call(supervisor: Supervisor, code: str = TRIVIAL, once: bool = False) -> None:
    """One run that has to succeed."""
    finished = supervisor.run(Job(1, code, code, once=once), Nothing())
    if finished.state != "succeeded":
        raise RuntimeError(f"a run ended {finished.state}: {finished.error}")


@contextmanager
def supervising(name: str, home: Path, spares: int) -> Iterator[tuple[Supervisor, list[Launched]]]:
    """A supervisor of one launcher, with its compiler up."""
    launcher = slots.make_launcher(name, home)
    started = slots.watched(launcher)
    supervisor = Supervisor(launcher, home / "slots", spares=spares, slots=16, wait_seconds=30)
    try:
        supervisor.compile(TRIVIAL)
        yield supervisor, started
    finally:
        supervisor.close()


def measure(name: str, home: Path) -> Figures:
    """All figures of one launcher. CannotLaunch where it does not run."""
    with supervising(name, home, spares=2) as (supervisor, started):
        warm, per_second = measure_warm(supervisor)
        spare = measure_spares(supervisor)
        call_back = measure_call_back(supervisor)
        time.sleep(0.5)
        pss = median(pss_of(one) for one in started if slots.is_running(one.pid))
    with supervising(name, home, spares=0) as (supervisor, _):
        cold = [milliseconds(lambda: call(supervisor, once=True)) for _ in range(15)]
    with supervising(name, home, spares=4) as (supervisor, _):
        fresh = measure_fresh(supervisor)
    return Figures(
        name,
        median(warm),
        percentile(warm, 0.99),
        median(spare),
        percentile(spare, 0.99),
        median(cold),
        per_second,
        fresh,
        call_back,
        pss,
    )


def measure_warm(supervisor: Supervisor) -> tuple[list[float], float]:
    """One caller's calls in ms, and how many it makes a second."""
    for _ in range(200):
        call(supervisor)
    found: list[float] = []
    began = time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        found.append(milliseconds(lambda: call(supervisor)))
    return found, len(found) / (time.perf_counter() - began)


def measure_spares(supervisor: Supervisor) -> list[float]:
    """First calls of lambdas that nobody has seen before, each after the spares are there again."""
    found = []
    for number in range(40):
        while supervisor.counts()["spare"] < 2:
            time.sleep(0.005)
        time.sleep(0.02)
        found.append(milliseconds(lambda number=number: call(supervisor, f"{TRIVIAL} // {number}")))
    return found


def measure_call_back(supervisor: Supervisor) -> float:
    """What one call back to the platform costs: a run with 200 of them against one with none."""
    code = "for (let i = 0; i < input; i++) await db.get('x', i); return 1"

    def run(count: int) -> float:
        job = Job(1, "call back", code, input=count)
        return milliseconds(lambda: supervisor.run(job, Nothing()))

    run(200)
    return (median(run(200) for _ in range(15)) - median(run(0) for _ in range(15))) / 200


def measure_fresh(supervisor: Supervisor) -> float:
    """Runs a second that each get a process of their own, four callers."""
    until = time.perf_counter() + SECONDS

    def caller() -> int:
        count = 0
        while time.perf_counter() < until:
            call(supervisor, once=True)
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        began = time.perf_counter()
        calls = sum(pool.map(lambda _: caller(), range(4)))
    return calls / (time.perf_counter() - began)


def pss_of(launched: Launched) -> float:
    """Proportional memory of a slot's processes in MB: the one that was started and all below it."""
    pids = [launched.pid]
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            pids += [int(word) for word in (task / "children").read_text().split()]
    lines = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    return sum(int(text.partition("Pss:")[2].split()[0]) for text in lines) / 1000


def print_figures(found: list[Figures]) -> bool:
    """One column a launcher; whether every goal was reached."""
    table = Table(title="Lambda runtime, trivial lambda", title_justify="left")
    table.add_column("what")
    for one in found:
        table.add_column(one.launcher, justify="right")
    table.add_column("goal", justify="right")
    reached = True
    for name, (words, goal, more) in GOALS.items():
        cells = []
        for one in found:
            value = getattr(one, name)
            is_bubblewrap_fresh = name == "fresh_per_second" and one.launcher == "bubblewrap"
            wanted = BUBBLEWRAP_FRESH if is_bubblewrap_fresh else goal
            ok = not goal or one.launcher == "container" or (value >= wanted if more else value <= wanted)
            reached = reached and ok
            cells.append(f"{value:,.2f}{'' if ok else ' MISSED'}" if value < 100 else f"{value:,.0f}")
        table.add_row(words, *cells, f"{'≥' if more else '≤'} {goal:g}" if goal else "")
    Console(width=140).print(table)
    return reached


def main(names: list[str]) -> int:
    """Measure each launcher that runs here; 1 when a goal was missed."""
    found = []
    for name in names or slots.LAUNCHERS:
        with tempfile.TemporaryDirectory(prefix="stackyard-bench-") as folder:
            try:
                found.append(measure(name, Path(folder)))
            except CannotLaunch as error:
                print(f"{name} does not run here: {error}")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    rows = [asdict(one) for one in found]
    (OUTPUT / "lambdas.json").write_text(
        json.dumps({"name": "lambdas", "cores": os.cpu_count(), "figures": rows}, indent=1)
    )
    return 0 if print_figures(found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
