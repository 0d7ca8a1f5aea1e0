"""Supervisors for tests of lambdas: one for each launcher that runs here, and somebody who answers what code asks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lambdas.launchers import CannotLaunch, Launched, Launcher, Order
from lambdas.launchers.container import ContainerLauncher
from lambdas.launchers.trial import try_out
from lambdas.supervisor import Finished, Job, Supervisor
from stackyard.core.errors import Problem
from stackyard.core.kinds import load

LAUNCHERS = ("process", "bubblewrap", "container")


def make_launcher(name: str, home: Path) -> Launcher:
    """A launcher that has proved to run here; for containers the root is made first. CannotLaunch when it does not."""
    load("lambdas.launchers")
    launcher = Launcher.get(name)(home, dict(os.environ))
    if isinstance(launcher, ContainerLauncher):
        launcher.build()
    try_out(launcher)
    return launcher


def watched(launcher: Launcher) -> list[Launched]:
    """From now on, everything that this launcher starts is noted in the list."""
    started: list[Launched] = []
    launch = launcher.launch

    def note(order: Order) -> Launched:
        launched = launch(order)
        started.append(launched)
        return launched

    launcher.launch = note  # type: ignore[method-assign]
    return started


class Answers:
    """Answers calls with what it was given by method name; refuses the rest. Keeps what was asked."""

    def __init__(self, answers: Mapping[str, Callable[..., Any]] | None = None) -> None:
        self.answers = dict(answers or {})
        self.asked: list[tuple[str, list[Any]]] = []
        self.threads: set[int] = set()

    def call(self, method: str, params: list[Any]) -> Any:
        """As `Services` has it."""
        self.asked.append((method, params))
        self.threads.add(threading.get_ident())
        if method in self.answers:
            return self.answers[method](*params)
        raise Problem("ACCESS_DENIED", f"{method} is not for you.", suggestion="Ask for something else.")


def run(
    supervisor: Supervisor, code: str, answers: Answers | None = None, *, key: str | None = None, **more: Any
) -> Finished:
    """Run code under a key of its own, for at most 10 s unless told otherwise."""
    options: dict[str, Any] = {
        "timeout_seconds": 10,
        "workspace_id": 1,
        "file_name": "orders/main.ts",
        **more,
    }
    return supervisor.run(Job(lambda_key=key or code, code=code, **options), answers or Answers())


def is_running(pid: int) -> bool:
    """Whether a process is there and not just waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


__all__ = ["LAUNCHERS", "Answers", "CannotLaunch", "is_running", "make_launcher", "run", "watched"]
