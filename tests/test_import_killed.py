"""An import, a conversion, an index whose process is killed with SIGKILL in the middle: nothing twice, nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import installation

pytestmark = pytest.mark.both_databases
ROOT = Path(__file__).resolve().parents[1]
ROWS = 30_000


def python(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def killed_in_its_second_batch(environment: dict[str, str], folder: Path, what: str) -> None:
    (folder / what).touch()
    process = python(environment, "-m", "tests.live_changes", "begin", str(folder), "0")
    assert process.stdout is not None
    said = process.stdout.readline()
    process.kill()
    _, errors = process.communicate()
    assert said == "in the second batch\n", errors


def test_a_killed_import_is_resumed_by_another_process(tmp_path: Path) -> None:
    with installation.database() as url:
        environment = {**os.environ, "STACKYARD_HOME": str(tmp_path / "home"), "DATABASE_URL": url}
        environment["STACKYARD_RUN_LEASE_SECONDS"] = "1"
        assert python(environment, "-m", "tests.live_changes", "prepare", str(tmp_path), "0").wait(120) == 0
        file = tmp_path / "things.csv"
        file.write_text("name,value\n" + "".join(f"n{number},{number}\n" for number in range(ROWS)))
        killed_in_its_second_batch(environment, tmp_path, "import")
        resumed = python(environment, "-m", "tests.live_changes", "resume", str(tmp_path), "0")
        said, errors = resumed.communicate(timeout=120)
        told = json.loads(said)
    assert (told["state"], told["attempt"]) == ("succeeded", 2), errors
    assert (told["rows"], told["different"], told["result"]["added"]) == (ROWS, ROWS, ROWS)


@pytest.mark.parametrize("what", ["conversion", "index"])
def test_a_killed_change_is_resumed_by_another_process(tmp_path: Path, what: str) -> None:
    with installation.database() as url:
        if what == "index" and url:
            pytest.skip("PostgreSQL builds it within one statement: tests/test_index_builds.py has that")
        environment = {**os.environ, "STACKYARD_HOME": str(tmp_path / "home"), "DATABASE_URL": url}
        environment["STACKYARD_RUN_LEASE_SECONDS"] = "1"
        rows = 10_000
        assert (
            python(environment, "-m", "tests.live_changes", "prepare", str(tmp_path), str(rows)).wait(120)
            == 0
        )
        killed_in_its_second_batch(environment, tmp_path, what)
        resumed = python(environment, "-m", "tests.live_changes", "resume", str(tmp_path), "0")
        said, errors = resumed.communicate(timeout=120)
        told = json.loads(said)
        drift = python(environment, "manage.py", "drift")
        found, _ = drift.communicate(timeout=60)
    assert (told["state"], told["attempt"]) == ("succeeded", 2), errors
    assert (told["rows"], told["different"]) == (rows, rows)
    assert (drift.returncode, found) == (0, "Catalogue and database say the same.\n")
    if what == "conversion":
        assert (told["result"]["converted"], told["result"]["refused"]) == (rows, 0)
