"""Slots: who gets one, how long it stays, and what is left when things end badly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lambdas.launchers import CannotLaunch, Launched, Launcher, Order
from lambdas.supervisor import Job, Supervisor
from lambdas.supervisor.compiler import SyntaxFault
from stackyard.core.errors import Problem
from tests.slots import Answers, is_running, make_launcher, run, watched

COUNT = "globalThis.runs = (globalThis.runs ?? 0) + 1; return globalThis.runs"


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    """Plain processes."""
    return make_launcher("process", tmp_path / "lambdas")


@pytest.fixture
def started(launcher: Launcher) -> list[Launched]:
    """Every process that was started."""
    return watched(launcher)


@pytest.fixture
def supervisor(launcher: Launcher, started: list[Launched], tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisor with four slots."""
    made = Supervisor(launcher, tmp_path / "slots", slots=4, wait_seconds=0.5)
    yield made
    made.close()


def eventually(holds: Any, seconds: float = 5) -> bool:
    """Whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_a_slot_stays_with_its_lambda(supervisor: Supervisor) -> None:
    assert [run(supervisor, COUNT).value for _ in range(5)] == [1, 2, 3, 4, 5]


def test_other_code_workspaces_and_memory_sizes_get_other_slots(supervisor: Supervisor) -> None:
    found = [
        run(supervisor, COUNT, key="a").value,
        run(supervisor, COUNT, key="b").value,
        run(supervisor, COUNT, key="a", workspace_id=2).value,
        run(supervisor, COUNT, key="a", memory_mb=64).value,
    ]
    assert found == [1, 1, 1, 1]


def test_once_means_a_process_that_nobody_used_or_will(supervisor: Supervisor) -> None:
    found = {run(supervisor, "return Deno.pid", once=True).value for _ in range(4)}
    assert len(found) == 4
    assert run(supervisor, COUNT, key="k").value == 1
    assert run(supervisor, COUNT, key="k", once=True).value == 1
    assert run(supervisor, COUNT, key="k").value == 2
    assert eventually(lambda: not any(is_running(pid) for pid in found))


@pytest.mark.parametrize(
    "bad", ["throw new Error('x')", "Deno.exit(1)", "while (true);", "return new Map()", "await db.get('x')"]
)
def test_a_slot_is_recycled_after_any_failure(supervisor: Supervisor, bad: str) -> None:
    code = f"if (input) {{ {bad} }} {COUNT}"
    assert [run(supervisor, code, key="k").value for _ in range(2)] == [1, 2]
    assert run(supervisor, code, key="k", input=True, timeout_seconds=0.3).state in ("failed", "timed_out")
    assert run(supervisor, code, key="k").value == 1


def test_a_slot_that_grew_large_is_not_kept(supervisor: Supervisor) -> None:
    code = f"globalThis.kept = new Uint8Array(150_000_000).fill(1); {COUNT}"
    assert [run(supervisor, code).value for _ in range(2)] == [1, 1]


def test_spares_are_filled_up_behind_the_caller(supervisor: Supervisor, started: list[Launched]) -> None:
    run(supervisor, "return 1")
    assert eventually(lambda: supervisor.counts() == {"busy": 0, "idle": 1, "spare": 2})
    # One slot, the compiler, two spares.
    assert len(started) == 4


def test_the_longest_unused_slot_makes_room(supervisor: Supervisor) -> None:
    for key in "abcd":
        run(supervisor, COUNT, key=key)
    run(supervisor, COUNT, key="a")
    run(supervisor, COUNT, key="e")
    assert supervisor.counts()["idle"] == 4
    assert run(supervisor, COUNT, key="a").value == 3
    assert run(supervisor, COUNT, key="b").value == 1


def test_a_full_pool_answers_busy_with_when_to_come_back(supervisor: Supervisor) -> None:
    inside, leave = threading.Barrier(4), threading.Event()
    answers = Answers({"db.wait": lambda: (inside.wait(10), leave.wait(10))[1]})
    with ThreadPoolExecutor(3) as pool:
        waiting = [
            pool.submit(run, supervisor, "return await db.wait()", answers, key=f"{n}") for n in range(3)
        ]
        inside.wait(10)
        # Three quarters of the slots are the most one workspace gets …
        began = time.monotonic()
        with pytest.raises(Problem) as refused:
            run(supervisor, "return 1")
        assert (refused.value.code, refused.value.status) == ("BUSY", 503)
        assert refused.value.headers == {"Retry-After": "1"}
        assert 0.45 < time.monotonic() - began < 2
        # … and others find room.
        assert run(supervisor, "return 1", workspace_id=2).value == 1
        leave.set()
        assert [one.result().value for one in waiting] == [True, True, True]
    assert run(supervisor, "return 1").value == 1


def test_a_slot_that_comes_free_in_time_is_taken(supervisor: Supervisor) -> None:
    code = "await db.wait(); return 1"
    answers = Answers({"db.wait": lambda: time.sleep(0.05)})
    run(supervisor, code, answers)
    with ThreadPoolExecutor(5) as pool:
        ends = pool.map(lambda n: run(supervisor, code, answers, key=f"{n}"), range(5))
        assert [one.value for one in ends] == [1] * 5


def test_a_lambda_that_calls_a_lambda_holds_two_slots(supervisor: Supervisor) -> None:
    inner = Answers({"fn.call": lambda name, data: run(supervisor, "return input * 2", input=data).value})
    assert run(supervisor, "return await fn.double(21)", inner).value == 42


def test_many_threads_share_it(supervisor: Supervisor) -> None:
    def call(number: int) -> Any:
        code = f"return [input, {number % 3}, await db.echo(input)]"
        return run(
            supervisor, code, Answers({"db.echo": lambda value: value}), input=number, key=str(number % 3)
        )

    with ThreadPoolExecutor(3) as pool:
        for number, finished in enumerate(pool.map(call, range(300))):
            assert finished.value == [number, number % 3, number]


def test_calls_are_answered_on_the_callers_thread(supervisor: Supervisor) -> None:
    answers = Answers({"db.get": lambda: 1})
    run(supervisor, "await db.get(); await db.get()", answers)
    assert answers.threads == {threading.get_ident()}


def test_the_time_limit_holds_while_a_call_is_answered(supervisor: Supervisor) -> None:
    began = time.monotonic()
    answers = Answers({"db.slow": lambda: time.sleep(0.6)})
    finished = run(supervisor, "db.slow(); while (true);", answers, timeout_seconds=0.2)
    assert finished.state == "timed_out"
    assert 0.55 < time.monotonic() - began < 2


def test_what_services_raise_beyond_a_problem_goes_through(supervisor: Supervisor) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(supervisor, "await db.get()", Answers({"db.get": broken}))
    assert run(supervisor, "return 1").value == 1
    assert supervisor.counts()["busy"] == 0


def test_a_run_can_be_cancelled(supervisor: Supervisor) -> None:
    cancelled = threading.Event()
    threading.Timer(0.2, cancelled.set).start()
    job = Job(1, "endless", "while (true);", timeout_seconds=20)
    finished = supervisor.run(job, Answers(), is_cancelled=cancelled.is_set)
    assert finished.state == "cancelled"
    assert finished.duration_seconds < 2


def test_limits_of_a_larger_lambda_are_its_own(supervisor: Supervisor) -> None:
    code = "const all = []; for (let i = 0; i < 30; i++) all.push(new Uint8Array(10_000_000).fill(1)); return all.length"
    assert run(supervisor, code, key="small").state == "out_of_memory"
    assert run(supervisor, code, key="large", memory_mb=512).value == 30


def test_processor_time_is_bounded_by_the_kernel_too(supervisor: Supervisor, started: list[Launched]) -> None:
    import resource

    held: list[tuple[int, int]] = []

    def look() -> None:
        [busy] = [one for one in started if one.inner and one.pid == seen[0]]
        held.append(resource.prlimit(busy.inner or 0, resource.RLIMIT_CPU))

    seen: list[int] = []
    answers = Answers({"db.me": seen.append, "db.look": look})
    for _ in range(2):
        seen.clear()
        run(supervisor, "await db.me(Deno.pid); await db.look()", answers, timeout_seconds=5)
    cores = os.cpu_count() or 1
    assert all(5 * cores <= soft <= 5 * cores + 4 and hard == 7200 for soft, hard in held)


def test_an_idle_slot_is_closed_after_a_while(
    launcher: Launcher, started: list[Launched], tmp_path: Path
) -> None:
    supervisor = Supervisor(launcher, tmp_path / "slots", spares=1, idle_seconds=0.4)
    try:
        pid = run(supervisor, "return Deno.pid").value
        assert is_running(pid)
        assert eventually(lambda: supervisor.counts() == {"busy": 0, "idle": 0, "spare": 1})
        assert eventually(lambda: sum(is_running(one.inner or 0) for one in started) == 1)
    finally:
        supervisor.close()


def test_an_idle_slot_that_works_on_is_closed(supervisor: Supervisor) -> None:
    # The loop starts in a turn of its own, after the run has ended.
    code = "const channel = new MessageChannel(); channel.port1.onmessage = () => { while (true); }; setImmediate; channel.port2.postMessage(0); return Deno.pid"
    pid = run(supervisor, code).value
    assert is_running(pid)
    assert eventually(lambda: not is_running(pid), 10)


def test_closing_leaves_no_process_and_no_folder(
    launcher: Launcher, started: list[Launched], tmp_path: Path
) -> None:
    supervisor = Supervisor(launcher, tmp_path / "slots")
    threads = threading.active_count()
    ended: list[Any] = []
    code = "while (true);"
    thread = threading.Thread(target=lambda: ended.append(run(supervisor, code)))
    run(supervisor, "return 1")
    thread.start()
    assert eventually(lambda: supervisor.counts()["busy"] == 1)
    time.sleep(0.3)
    supervisor.close()
    thread.join(5)
    assert ended[0].state == "failed"
    assert ended[0].error.name == "Closed"
    assert threading.active_count() <= threads
    assert not any(is_running(one.pid) for one in started)
    assert not list((tmp_path / "slots").glob("*/*"))
    with pytest.raises(Problem, match="being stopped"):
        run(supervisor, "return 1")


def test_a_launcher_that_fails_is_told_at_once_and_tried_again(
    launcher: Launcher, started: list[Launched], tmp_path: Path
) -> None:
    supervisor = Supervisor(launcher, tmp_path / "slots")
    launch, fails = launcher.launch, [True]

    def sometimes(order: Order) -> Launched:
        if fails[0]:
            raise CannotLaunch("The disk is full.")
        return launch(order)

    launcher.launch = sometimes  # type: ignore[method-assign]
    try:
        with pytest.raises(Problem, match="The disk is full") as refused:
            run(supervisor, "return 1")
        assert refused.value.code == "LAMBDA_FAILED"
        fails[0] = False
        assert eventually(lambda: supervisor.counts()["spare"] == 2)
        assert run(supervisor, "return 1").value == 1
    finally:
        supervisor.close()


def test_the_compiler_lives_on_after_code_that_kills_it(supervisor: Supervisor) -> None:
    assert supervisor.compile("const a: number = 1").code == "const a         = 1"
    with pytest.raises(SyntaxFault):
        supervisor.compile("(" * 200_000)
    assert supervisor.compile("const b: number = 1").code == "const b         = 1"


def test_a_spare_that_died_is_not_given_out(supervisor: Supervisor, started: list[Launched]) -> None:
    run(supervisor, "return 1")
    assert eventually(lambda: supervisor.counts()["spare"] == 2)
    for one in started:
        os.kill(one.pid, signal.SIGKILL)
    assert eventually(lambda: all(one.popen.poll() is not None for one in started))
    assert run(supervisor, "return 1").value == 1
    assert run(supervisor, "return 2").value == 2


ORPHANS = """
import os, sys, threading, time
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from tests.slots import Answers, make_launcher, run, watched
from lambdas.supervisor import Supervisor
launcher = make_launcher(sys.argv[1], Path(sys.argv[2]))
started = watched(launcher)
supervisor = Supervisor(launcher, Path(sys.argv[2]) / "slots")
threading.Thread(target=run, args=(supervisor, "while (true);"), kwargs={"timeout_seconds": 60}, daemon=True).start()
while supervisor.counts() != {"busy": 1, "idle": 0, "spare": 2}:
    time.sleep(0.01)
time.sleep(0.1)
print(*[one.inner for one in started if one.inner], flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("name", ["process", "bubblewrap", "container"])
def test_no_process_outlives_a_supervisor_that_is_killed(name: str, tmp_path: Path) -> None:
    from tests.conftest import absent

    try:
        make_launcher(name, tmp_path)
    except CannotLaunch as error:
        absent(f"the launcher {name} does not run here: {error}")
    root = str(Path(__file__).resolve().parents[1])
    told = subprocess.run(
        [sys.executable, "-c", ORPHANS, name, str(tmp_path), root, f"{root}/platform"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    pids = [int(word) for word in told.stdout.split()]
    assert len(pids) >= 3, told.stderr
    assert eventually(lambda: not any(is_running(pid) for pid in pids), 2)
