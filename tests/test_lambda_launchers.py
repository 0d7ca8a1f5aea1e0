"""The contract of launchers: the same tests for each that runs here; how one is chosen; what docker is told."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdas.launchers import CannotLaunch, Launched, Launcher, choose, survey
from lambdas.launchers.bubblewrap import BubblewrapLauncher
from lambdas.launchers.container import ContainerLauncher
from lambdas.launchers.engines import Docker, Podman, Runc
from lambdas.launchers.launcher import find_deno
from lambdas.launchers.memory_group import MemoryGroup, usable
from lambdas.launchers.root import runner
from lambdas.launchers.scratch import DEEPEST, MOST_FILES, empty, is_too_full, remove
from lambdas.supervisor import Supervisor
from stackyard.core.errors import Problem
from tests.conftest import absent
from tests.slots import LAUNCHERS, Answers, is_running, make_launcher, run, watched


@pytest.fixture(scope="module", params=LAUNCHERS)
def slots(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Supervisor, list[Launched]]]:
    """A supervisor for each launcher, and what it has started."""
    home = tmp_path_factory.mktemp("lambdas")
    os.environ["STACKYARD_CANARY"] = "canary"
    try:
        launcher = make_launcher(request.param, home)
    except CannotLaunch as error:
        absent(f"the launcher {request.param} does not run here: {error}")
    started = watched(launcher)
    supervisor = Supervisor(launcher, home / "slots")
    yield supervisor, started
    supervisor.close()
    del os.environ["STACKYARD_CANARY"]
    assert not [one.inner for one in started if is_running(one.inner or one.pid)]


Slots = tuple[Supervisor, list[Launched]]


def test_code_runs_and_calls_are_answered(slots: Slots) -> None:
    answers = Answers({"db.get": lambda key: {"key": key}})
    finished = run(slots[0], "log('hi'); return await db.get(input)", answers, input="k")
    assert (finished.value, finished.logs) == ({"key": "k"}, "hi\n")


def test_node_modules_errors_and_large_values_work(slots: Slots) -> None:
    code = """import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
if (input === "throw") throw new Error("on purpose");
return [createHash("sha1").update("x").digest("hex").length, gzipSync("x").length > 0, input.length]"""
    assert run(slots[0], code, input="x" * 3_000_000).value == [40, True, 3_000_000]
    failed = run(slots[0], code, input="throw").error
    assert failed is not None
    assert (failed.message, failed.line) == ("on purpose", 3)


def test_the_scratch_directory_is_empty_at_first_and_emptied_after_each_run(slots: Slots) -> None:
    code = """const found = [...Deno.readDirSync('.')].map(one => one.name);
Deno.mkdirSync('a/b/c', { recursive: true }); Deno.writeTextFileSync('a/b/c/d', 'x'.repeat(1000));
globalThis.runs = (globalThis.runs ?? 0) + 1;
return [found, Deno.readTextFileSync('a/b/c/d').length, globalThis.runs]"""
    assert [run(slots[0], code).value for _ in range(3)] == [[[], 1000, number] for number in (1, 2, 3)]


def environment_of(pid: int) -> bytes | None:
    """The environment of a process; None when it has ended, which a slot may do at any moment."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None


def test_no_process_of_it_has_an_environment_worth_reading(slots: Slots) -> None:
    supervisor, started = slots
    run(supervisor, "return 1")
    pids = {pid for one in started for pid in (one.pid, one.inner or one.pid)}
    texts = [text for pid in pids if (text := environment_of(pid)) is not None]
    assert texts
    for text in texts:
        assert b"canary" not in text
        assert b"STACKYARD" not in text


def test_it_is_not_in_the_session_of_its_parent(slots: Slots) -> None:
    supervisor, started = slots
    run(supervisor, "return 1")
    running = [one for one in started if is_running(one.pid)]
    assert all(os.getsid(one.pid) == one.pid for one in running)


def test_a_kill_leaves_nothing(slots: Slots) -> None:
    supervisor, started = slots
    finished = run(supervisor, "while (true);", timeout_seconds=0.2)
    assert finished.state == "timed_out"
    assert finished.duration_seconds < 1
    [killed] = [one for one in started if one.popen.returncode is not None][-1:]
    assert not is_running(killed.pid)
    deadline = time.monotonic() + 1
    while is_running(killed.inner or killed.pid) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert not is_running(killed.inner or killed.pid)


def test_its_memory_is_bounded(slots: Slots) -> None:
    code = "const all = []; while (true) all.push(new Uint8Array(5_000_000).fill(1))"
    finished = run(slots[0], code, memory_mb=100)
    assert finished.state == "out_of_memory"
    assert finished.error is not None
    assert finished.error.as_dict()["code"] == "OUT_OF_MEMORY"


@pytest.mark.parametrize("name", ["bubblewrap", "container"])
def test_a_sandbox_holds_deno_and_nothing_else(name: str, tmp_path: Path) -> None:
    try:
        launcher = make_launcher(name, tmp_path)
    except CannotLaunch as error:
        absent(f"the launcher {name} does not run here: {error}")
    started = watched(launcher)
    supervisor = Supervisor(launcher, tmp_path / "slots")
    try:
        run(supervisor, "return 1")
        inner = next(one.inner for one in started if one.inner)
        root = Path(f"/proc/{inner}/root")
        found = {str(path.relative_to(root)) for path in root.iterdir()}
        assert {"deno", "runner.js", "scratch"} <= found
        assert found <= {
            "deno",
            "runner.js",
            "scratch",
            "setpriv",
            "lib",
            "lib64",
            "usr",
            "proc",
            "dev",
            "sys",
        }
        files = {
            path.name
            for folder in ("lib", "lib64", "usr")
            for path in (root / folder).rglob("*")
            if path.is_file()
        }
        assert all(".so" in file for file in files)
        status = Path(f"/proc/{inner}/status").read_text()
        assert "CapEff:\t0000000000000000" in status
        assert "NoNewPrivs:\t1" in status
        for kind in ("net", "pid", "mnt", "ipc", "uts"):
            assert os.readlink(f"/proc/{inner}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}")
    finally:
        supervisor.close()


def test_bubblewrap_needs_no_root(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("this test becomes an ordinary user, which only root can")
    home = tmp_path / "home"
    home.mkdir(mode=0o777)
    for folder in (*reversed(home.parents), home):
        if str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    home.chmod(0o777)
    root = str(Path(__file__).resolve().parents[1])
    code = """
import os, sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
import deno
from tests.slots import load, make_launcher, run
from lambdas.supervisor import Supervisor
load("lambdas.launchers")
# Where Python itself is may be hidden from the user that this process becomes now.
os.setgroups([]); os.setgid(65534); os.setuid(65534)
home = Path(sys.argv[1])
supervisor = Supervisor(make_launcher("bubblewrap", home), home / "slots")
code = "const before = [...Deno.readDirSync('.')].length; Deno.writeTextFileSync('a', 'x'); globalThis.n = (globalThis.n ?? 0) + 1; return [before, globalThis.n]"
print([run(supervisor, code).value for _ in range(2)], run(supervisor, "while (true);", timeout_seconds=0.2).state)
supervisor.close()
"""
    told = subprocess.run(
        [sys.executable, "-c", code, str(home), root, f"{root}/platform"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "CannotLaunch" in told.stderr:
        pytest.skip(f"bubblewrap does not run for an ordinary user here: {told.stderr.splitlines()[-1]}")
    assert told.stdout == "[[0, 1], [0, 2]] timed_out\n", told.stderr


# ---------------------------------------------------------------- choosing


def test_the_best_that_runs_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without a built image there is no container; without bwrap there is a plain process.
    assert survey(tmp_path, dict(os.environ))["container"]
    monkeypatch.setattr(BubblewrapLauncher, "check", lambda self: None)
    if not survey(tmp_path, dict(os.environ))["bubblewrap"]:
        assert choose(tmp_path).name == "bubblewrap"

    def missing(self: Launcher) -> None:
        raise CannotLaunch("bwrap is not installed.")

    monkeypatch.setattr(BubblewrapLauncher, "check", missing)
    assert choose(tmp_path).name == "process"
    assert survey(tmp_path)["process"] == ""
    assert not list(tmp_path.glob("trial-*"))


def test_a_forced_launcher_that_does_not_run_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert choose(tmp_path, "process").name == "process"
    with pytest.raises(Problem, match=r"container: .*not") as refused:
        choose(tmp_path, "container", dict(os.environ))
    assert refused.value.code == "LAMBDA_FAILED"
    with pytest.raises(Problem, match='Did you mean "bubblewrap"'):
        choose(tmp_path, "bublewrap")


def test_a_process_that_does_not_start_is_told_in_its_own_words(tmp_path: Path) -> None:
    runner(tmp_path).write_text("nonsense(")
    with pytest.raises(Problem, match="nonsense"):
        choose(tmp_path, "process")


# ---------------------------------------------------------------- containers


def test_docker_is_told_every_wall(tmp_path: Path) -> None:
    told = " ".join(Docker(tmp_path, {}).run_arguments("stackyard-1-a", tmp_path / "scratch", 256))
    for wall in (
        "run --interactive --rm --name stackyard-1-a",
        "--network=none",
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--memory=448m --memory-swap=448m",
        "--pids-limit=128",
        "--ulimit core=0:0",
        "--ulimit data=1056000000:1056000000",
        f"--mount type=bind,source={tmp_path}/scratch,target=/scratch",
        "--workdir /scratch",
        "stackyard-lambda:2.9",
        "/deno run --no-prompt",
    ):
        assert wall in told
    assert "--user 65534:65534" in told or f"--user {os.getuid()}:{os.getgid()}" in told
    assert Podman.program == "podman"


def test_runc_is_told_every_wall(tmp_path: Path) -> None:
    said = Runc(tmp_path, {}).configuration("stackyard-1-a", 256)
    assert said["root"]["readonly"] is True
    assert said["process"]["noNewPrivileges"] is True
    assert said["process"]["capabilities"] == {}
    assert said["process"]["user"] == {"uid": 65534, "gid": 65534}
    assert {one["type"] for one in said["linux"]["namespaces"]} == {"pid", "network", "ipc", "uts", "mount"}
    assert said["linux"]["resources"]["memory"]["limit"] == 448_000_000


FAKE = """#!/bin/sh
# Stands in for docker: no container, but the same words.
case "$1" in
  image) exit 0 ;;
  run)
    for word in "$@"; do case "$word" in type=bind,*) scratch=${word#*source=}; scratch=${scratch%%,*} ;; esac; done
    while [ "$1" != /deno ]; do shift; done; shift
    cd "$scratch"
    for word in "$@"; do case "$word" in
      /runner.js) set -- "$@" "$RUNNER" ;;
      --allow-*=/scratch) set -- "$@" "${word%%=*}=$scratch" ;;
      *) set -- "$@" "$word" ;;
    esac; shift; done
    DENO_DIR=/dev/null/none exec "$DENO" "$@" ;;
  inspect) echo 0 ;;
  *) exit 0 ;;
esac
"""


def test_the_words_of_docker_start_kill_and_delete_a_slot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "docker"
    program.write_text(FAKE.replace("$RUNNER", str(runner(tmp_path))).replace("$DENO", str(find_deno())))
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    launcher = ContainerLauncher(tmp_path, {"PATH": path})
    launcher.check()
    started = watched(launcher)
    if os.getuid() == 0:
        monkeypatch.setattr("lambdas.launchers.engines.os.chown", lambda *_: None)
    supervisor = Supervisor(launcher, tmp_path / "slots")
    try:
        code = "Deno.writeTextFileSync('a', 'x'); return [...Deno.readDirSync('.')].length"
        assert [run(supervisor, code).value for _ in range(2)] == [1, 1]
        assert run(supervisor, "while (true);", timeout_seconds=0.3).state == "timed_out"
    finally:
        supervisor.close()
    assert not any(is_running(one.pid) for one in started)


# ---------------------------------------------------------------- scratch


def test_a_scratch_directory_is_emptied_whatever_is_in_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("stays")
    scratch = tmp_path / "scratch"
    (scratch / "a" / "b").mkdir(parents=True)
    (scratch / "a" / "b" / "file").write_text("x")
    (scratch / "link").symlink_to(outside)
    (scratch / "a" / "folder").symlink_to(tmp_path)
    deep = os.open(scratch, os.O_RDONLY)
    for _ in range(3_000):
        os.mkdir("d", dir_fd=deep)
        below = os.open("d", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = below
    os.close(deep)
    directory = os.open(scratch, os.O_RDONLY)
    assert is_too_full(directory)
    empty(directory)
    assert os.listdir(directory) == []
    assert not is_too_full(directory)
    os.close(directory)
    assert outside.read_text() == "stays"
    remove(scratch)
    assert not scratch.exists()
    remove(scratch)


def test_bytes_files_and_levels_are_counted(tmp_path: Path) -> None:
    def check() -> bool:
        directory = os.open(tmp_path, os.O_RDONLY)
        try:
            return is_too_full(directory)
        finally:
            os.close(directory)

    folder = tmp_path
    for _ in range(DEEPEST):
        folder = folder / "d"
        folder.mkdir()
    assert not check()
    (folder / "one more").mkdir()
    assert check()
    (folder / "one more").rmdir()
    for number in range(MOST_FILES - DEEPEST):
        (tmp_path / str(number)).touch()
    assert not check()
    (tmp_path / "last").touch()
    assert check()


def test_a_memory_group_bounds_a_process_and_is_deleted() -> None:
    if usable() is None:
        pytest.skip("no memory cgroup can be made here")
    code = "import sys; print(flush=True); sys.stdin.readline(); held = b'x' * 300_000_000; print(len(held))"
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        group = MemoryGroup.make(process.pid, 100_000_000)
        assert group is not None
        assert not group.has_killed()
        assert process.communicate("go\n") == ("", None)
    assert process.returncode == -9
    assert group.has_killed()
    group.remove()
    assert not group.path.exists()
