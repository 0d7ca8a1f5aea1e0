"""docs/patterns.md, run: its commands, its curl lines against a real server, and what they print."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.management import call_command
from PIL import Image

from stackyard.core.workspaces import edit_variable
from stackyard.tables.changes import create_table
from tests.conftest import absent
from tests.factories import make_group, make_key, make_workspace

PAGE = Path(__file__).parents[1] / "docs/patterns.md"
_BLOCK = re.compile(r"```(sh|json)\n(.*?)```", re.S)


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def server(transactional_db: None) -> Iterator[str]:
    from django.db import connections

    from stackyard.wsgi import application

    made = make_server("127.0.0.1", 0, application, handler_class=_Quiet)

    def serve() -> None:
        made.serve_forever(0.01)
        connections.close_all()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.mark.django_db(transaction=True, databases=["default", "history"])
def test_the_page_of_patterns_is_true(server: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None or shutil.which("openssl") is None:
        absent("curl or openssl is not installed")
    workspace = make_workspace()
    create_table(
        workspace, "customers", fields={"name": {"type": "text", "required": True}, "email": "email"}
    )
    make_group(workspace)
    Image.new("RGB", (4, 3)).save(tmp_path / "tea.png")
    surroundings = {
        "BASE": server,
        "KEY": make_key(workspace),
        "META_KEY": make_key(workspace, "meta"),
        "PATH": os.environ["PATH"],
    }
    printed = ""
    for kind, text in _BLOCK.findall(PAGE.read_text()):
        if kind == "json":
            assert_like(json.loads(printed.splitlines()[-1]), json.loads(text), text)
            continue
        curls = []
        for line in text.splitlines():
            if line.startswith("manage.py") and "NAME" not in line:
                call_command(*shlex.split(line)[1:])
            elif not line.startswith("manage.py"):
                curls.append(line.replace("curl ", "curl -sS --fail-with-body -w '\\n' ", 1))
        for variable in workspace.variables.filter(name="GITHUB_SECRET"):
            edit_variable(variable, value="It's a secret")
        if curls:
            printed = _run("\n".join(["set -e", *curls]), tmp_path, surroundings)


def _run(script: str, folder: Path, surroundings: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=surroundings, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, (script, done.stdout, done.stderr)
    return done.stdout


def assert_like(value: Any, wanted: Any, where: str) -> None:
    """Equal, where `…` stands for anything and a map names at least its keys."""
    if wanted == "…":
        return
    if isinstance(wanted, dict):
        assert isinstance(value, dict), where
        for key, part in wanted.items():
            assert_like(value.get(key), part, where)
    elif isinstance(wanted, list):
        assert len(value) == len(wanted), where
        for one, part in zip(value, wanted, strict=True):
            assert_like(one, part, where)
    else:
        assert value == wanted, where
