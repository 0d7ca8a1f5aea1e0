"""Pages of the docs, run as somebody would paste them: `sh` blocks against a real server, and what the block after them shows."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.core.management import call_command

from tests.conftest import absent

DOCS = Path(__file__).parents[1] / "docs"
_BLOCK = re.compile(r"^```(sh|json|text)\n(.*?)^```", re.S | re.M)


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def served() -> Iterator[str]:
    """The installation of this test on a port of its own; yields its address."""
    from django.db import connections

    from stackyard.wsgi import application

    made = make_server("127.0.0.1", 0, application, handler_class=_Quiet)

    def serve() -> None:
        made.serve_forever(0.01)
        connections.close_all()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_port}"
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


def run_page(
    page: str,
    folder: Path,
    known: dict[str, str],
    *,
    curl: str = "curl",
    after_commands: Callable[[], None] = lambda: None,
) -> int:
    """Run a page of docs/ in one folder, with these variables; how many answers were compared.

    Lines of `manage.py` run in this process; a key that one makes is `$KEY` from then on. What a shell block sets, later
    blocks know. A `json` block is compared with the last line that was printed, a `text` block with all lines;
    `…` stands for anything.
    """
    if shutil.which("curl") is None or shutil.which("openssl") is None:
        absent("curl or openssl is not installed")
    known, printed, compared = {"PATH": os.environ["PATH"], **known}, "", 0
    for kind, text in _BLOCK.findall((DOCS / page).read_text()):
        if kind == "sh":
            lines = _command(text, known)
            after_commands()
            if lines:
                printed = _run(lines.replace("curl ", f"{curl} "), folder, known)
            continue
        compared += 1
        if kind == "json":
            assert_like(json.loads(printed.splitlines()[-1]), json.loads(text), text)
        else:
            pattern = re.escape(text.strip()).replace("…", ".*")
            # Servers write the names of headers in one case or another.
            assert re.fullmatch(pattern, printed.replace("\r", "").strip(), re.I), (text, printed)
    return compared


def _command(text: str, known: dict[str, str]) -> str:
    """Run the lines of `manage.py`, but those that only show how; the others."""
    others = []
    for line in text.splitlines():
        if not line.startswith("manage.py"):
            others.append(line)
        elif "NAME" not in line:
            said = StringIO()
            call_command(*shlex.split(line)[1:], stdout=said)
            if line.startswith("manage.py apikey"):
                known["KEY"] = said.getvalue().strip()
    return "\n".join(others).strip()


def _run(script: str, folder: Path, known: dict[str, str]) -> str:
    """What a script prints; what it sets is kept in `known`."""
    kept = folder / "variables"
    names = re.findall(r"^([A-Z_]+)=", script, re.M)
    tell = "".join(f"\nprintf '%s\\n' \"${name}\" >> {shlex.quote(str(kept))}" for name in names)
    done = subprocess.run(
        ["bash", "-c", f"set -e\n{script}{tell}"],
        cwd=folder,
        env=known,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, (script, done.stdout, done.stderr)
    if names:
        known.update(zip(names, kept.read_text().splitlines(), strict=True))
        kept.unlink()
    return done.stdout


def assert_like(value: Any, wanted: Any, where: str) -> None:
    """Equal, where `…` stands for anything and a map names at least its keys."""
    if wanted == "…":
        return
    if isinstance(wanted, dict):
        assert isinstance(value, dict), where
        for key, part in wanted.items():
            assert key in value, (key, value, where)
            assert_like(value[key], part, where)
    elif isinstance(wanted, list):
        assert isinstance(value, list), where
        assert len(value) == len(wanted), where
        for one, part in zip(value, wanted, strict=True):
            assert_like(one, part, where)
    else:
        assert value == wanted, (value, where)
