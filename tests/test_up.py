"""`make up` from an empty home to a line that answers when pasted, and again."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import installation
from tests.conftest import absent

pytestmark = pytest.mark.both_databases
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A database for the installation of this module."""
    with installation.database() as url:
        yield url


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that does not exist yet."""
    return tmp_path_factory.mktemp("up") / "home"


@pytest.fixture(scope="module")
def first(home: Path, database: str) -> Iterator[installation.Installation]:
    """The first start: running while the tests of this module look at it."""
    with installation.running(home, database) as started:
        yield started


@pytest.fixture(scope="module", autouse=True)
def _curl() -> None:
    if shutil.which("curl") is None:
        absent("curl is not installed")


def paste(line: str) -> tuple[int, object]:
    """Run a curl line as it was printed; status and JSON."""
    command = [*shlex.split(line), "--silent", "--write-out", "\n%{http_code}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def test_the_first_start_names_its_stages_with_their_time(first: installation.Installation) -> None:
    for stage in ("database", "owner", "sample", "first key", "server"):
        line = next(line for line in first.output.splitlines() if f"\u2713 {stage}" in line)
        assert line.endswith(" s")


def test_the_printed_line_answers_200_when_pasted(first: installation.Installation) -> None:
    status, customer = paste(first.shown["Try"])
    assert status == 200
    assert customer["id"] == 1


def test_the_first_key_is_kept_for_its_owner_only(first: installation.Installation) -> None:
    path = first.home / "first-key"
    assert path.read_text().strip() == first.shown["API key"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_owner_can_sign_in_with_the_printed_password(first: installation.Installation) -> None:
    email, _, password = first.shown["Owner"].partition("  password ")
    account = f"username={email.strip()!r}, password={password.split()[0]!r}"
    code = f"from django.contrib.auth import authenticate\nprint(authenticate({account}).is_superuser)"
    assert first.python(code) == "True"


def test_a_second_start_reuses_everything_and_says_so(
    first: installation.Installation, home: Path, database: str
) -> None:
    with installation.running(home, database) as second:
        assert "up to date" in second.output
        assert "reused owner@example.com" in second.output
        assert "reused workspace shop" in second.output
        assert second.shown["API key"] == first.shown["API key"]
        assert "password as set" in second.shown["Owner"]
        assert paste(second.shown["Try"])[0] == 200


def test_a_busy_port_is_refused_before_anything_is_made(
    first: installation.Installation, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=installation.variables(tmp_path / "other", first.port, ""),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"Port {first.port} on 127.0.0.1 cannot be used" in done.stderr
    assert not (tmp_path / "other" / "stackyard.sqlite3").exists()


def test_ctrl_c_stops_it_and_keeps_the_history_of_every_answer(tmp_path: Path, database: str) -> None:
    if database:
        pytest.skip("reads the history's SQLite file; the writer is the same on PostgreSQL")
    with installation.running(tmp_path / "home") as started:
        for _ in range(20):
            assert paste(started.shown["Try"])[0] == 200
        children = processes_of(started.process.pid)
        assert len(children) >= 3
        assert started.stop(signal.SIGINT) == 0
        assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    with sqlite3.connect(tmp_path / "home" / "history.sqlite3") as connection:
        (entries,) = connection.execute("SELECT count(*) FROM endpoints_historyentry").fetchone()
    assert entries == 20


def processes_of(pid: int) -> list[int]:
    """The ids of all processes below one."""
    found = [pid]
    for parent in found:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        found += [int(child) for child in children]
    return found[1:]
