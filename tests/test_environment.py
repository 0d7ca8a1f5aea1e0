"""What the set-up checks before anything is installed: one clear line each, and what to do."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from stackyard.start import environment

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "platform/stackyard/start/environment.py"


def prepare(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the script as the Makefile does, with another environment."""
    command = [sys.executable, "-I", str(SCRIPT), *arguments, "--", "-c", "print('became the command')"]
    return subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60
    )


def test_a_busy_port_is_named_with_another_to_take() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = prepare("--serves", PORT=str(port))
    assert done.returncode == 2
    assert f"Port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert f"PORT={port + 1} make up" in done.stderr


def test_a_port_that_is_no_number_is_refused() -> None:
    done = prepare("--serves", PORT="http")
    assert done.returncode == 2
    assert "PORT is 'http'" in done.stderr


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = prepare(STACKYARD_HOME=str(tmp_path / "file" / "home"))
    assert done.returncode == 2
    assert f"The home {tmp_path}/file/home cannot be written" in done.stderr
    assert "STACKYARD_HOME=" in done.stderr


def test_a_python_without_venv_is_told_which_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(environment.Unready) as caught:
        environment.check_venv_module()
    assert "apt-get install python3-venv" in caught.value.remedy


def test_an_old_python_is_refused_when_there_is_no_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    version = namedtuple("version_info", "major minor micro")
    monkeypatch.setattr(sys, "version_info", version(3, 9, 2))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(environment.Unready) as caught:
        environment.check_python()
    assert "too old: Stackyard needs 3.11 or newer" in caught.value.reason


def test_an_old_python_can_read_the_script_far_enough() -> None:
    # Its grammar is Python 3.7's: parse it as that version would.
    import ast

    ast.parse(SCRIPT.read_text(), feature_version=(3, 7))


def test_the_environment_needs_nothing_that_is_not_in_the_standard_library() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_what_is_installed_is_not_installed_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "STAMP", tmp_path / "stamp.json")
    commands: list[list[str]] = []
    monkeypatch.setattr(environment, "run", lambda command, *words: commands.append(command))
    assert environment.install([]) == "installed requirements"
    assert environment.install([]) == "requirements unchanged"
    assert environment.install(["test"]) == "installed requirements and test"
    # A start without the extra leaves it where it is.
    assert environment.install([]) == "requirements unchanged"
    assert len(commands) == 2
