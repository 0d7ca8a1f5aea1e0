"""Changes of a table under load, with three processes: no failed request, no lost write, no long stall.

`STACKYARD_FUZZ=1` does it with a million records (STACKYARD_LIVE_ROWS).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import installation

pytestmark = pytest.mark.both_databases
ROOT = Path(__file__).resolve().parents[1]
IS_LONG = os.environ.get("STACKYARD_FUZZ") == "1"
ROWS = int(os.environ.get("STACKYARD_LIVE_ROWS", "1000000" if IS_LONG else "6000"))
LONGEST_SECONDS = 1_800 if IS_LONG else 120


def start(role: str, folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.live_changes", role, str(folder), str(ROWS)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def test_tables_change_under_load(tmp_path: Path) -> None:
    with installation.database() as url:
        environment = {**os.environ, "STACKYARD_HOME": str(tmp_path / "home"), "DATABASE_URL": url or ""}
        if url is None:
            del environment["DATABASE_URL"]
        assert start("prepare", tmp_path, environment).wait(LONGEST_SECONDS) == 0
        roles = {role: start(role, tmp_path, environment) for role in ("read", "write", "change")}
        told: dict[str, Any] = {}
        try:
            for role in ("change", "read", "write"):
                told[role] = json.loads(roles[role].communicate(timeout=LONGEST_SECONDS)[0])
        finally:
            (tmp_path / "stop").touch()
            for process in roles.values():
                process.kill()
    print(json.dumps(told, indent=1))
    assert {role: figures["errors"] for role, figures in told.items()} == {
        "read": [],
        "write": [],
        "change": [],
    }
    assert told["write"]["lost"] == []
    assert told["read"]["calls"]
    assert told["write"]["written"]
