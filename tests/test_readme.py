"""The README's walk, done as written: its files are made, its lines are run, its answers are compared."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import installation
from tests.conftest import absent

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
ANYTHING = "…"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[installation.Installation]:
    """A running installation, empty of what the README makes."""
    if shutil.which("curl") is None:
        absent("curl is not installed")
    with installation.running(tmp_path / "home") as running:
        yield running


def write_files(folder: Path) -> None:
    """Make the files that the README shows: YAML whose first line is a comment with the path."""
    for language, text in BLOCKS:
        if language == "yaml":
            name, _, content = text.partition("\n")
            path = folder / name.removeprefix("# ")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)


def as_script(started: installation.Installation) -> str:
    """All shell blocks as one script that marks the end of each; ours for its root, port and folder."""
    blocks = [text for language, text in BLOCKS if language == "sh"]
    script = "set -eu\n" + "".join(f"{text}\nprintf '\\n===\\n'\n" for text in blocks)
    script = script.replace("127.0.0.1:8000", f"127.0.0.1:{started.port}")
    return script.replace(".venv/bin/python manage.py", f".venv/bin/python {ROOT}/manage.py")


def answers_wanted() -> list[tuple[int, Any]]:
    """The JSON that the README shows, each with the number of the shell block before it."""
    wanted, shell = [], -1
    for language, text in BLOCKS:
        shell += language == "sh"
        if language == "json":
            wanted.append((shell, json.loads(text)))
    return wanted


def matches(wanted: Any, got: Any) -> bool:
    """Whether an answer is the one shown, where "…" stands for any text."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return wanted.keys() == got.keys() and all(matches(wanted[key], got[key]) for key in wanted)
    if isinstance(wanted, list) and isinstance(got, list):
        return len(wanted) == len(got) and all(map(matches, wanted, got))
    return wanted == got or (wanted == ANYTHING and isinstance(got, str))


def test_the_walk_works_as_written(started: installation.Installation, tmp_path: Path) -> None:
    write_files(tmp_path)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    done = subprocess.run(
        ["sh", "-c", as_script(started)],
        cwd=tmp_path,
        env=installation.variables(started.home, started.port, started.database_url),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = done.stdout.split("\n===\n")
    wanted = answers_wanted()
    assert len(wanted) >= 4
    for shell, answer in wanted:
        assert matches(answer, json.loads(outputs[shell])), f"{answer}\n{outputs[shell]}"


def test_every_file_that_is_linked_exists() -> None:
    missing, count = [], 0
    for page in (ROOT / "README.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")):
        for link in re.findall(r"\]\(([^)#:\s]+)\)", page.read_text()):
            count += 1
            if not (page.parent / link).exists():
                missing.append(f"{page.name}: {link}")
    assert count > 30
    assert not missing


def test_every_variable_in_the_table_is_read() -> None:
    settings = (ROOT / "platform/stackyard/settings.py").read_text()
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", (ROOT / "README.md").read_text(), re.M)
    named = [name for row in rows for name in re.findall(r"[A-Z_]+", row)]
    assert len(named) > 8
    assert not [name for name in named if f'"{name}"' not in settings]
