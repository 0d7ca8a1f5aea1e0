"""Runs lambdas: one process each, watched from outside.

    finished = supervisor.run(Job(workspace.pk, "a-key", "return input.a + 1", input={"a": 1}), services)

`Supervisor` is the machine; `default` is the one of this process. No models here: it is tested alone.
"""

from __future__ import annotations

import os
import threading

from .job import Failure, Finished, Items, Job, Services
from .pool import Supervisor

__all__ = ["Failure", "Finished", "Items", "Job", "Services", "Supervisor", "chosen", "default", "run"]

_lock = threading.Lock()
_default: Supervisor | None = None


def default() -> Supervisor:
    """The supervisor of this process, made at first use. Problem `LAMBDA_FAILED` when no launcher runs here."""
    global _default
    if _default is None:
        with _lock:
            if _default is None:
                _default = _make()
    return _default


def chosen() -> str:
    """The name of the launcher that this process uses; empty before its first lambda."""
    return _default.launcher.name if _default is not None else ""


def run(job: Job, services: Services) -> Finished:
    """Run a job on this process's supervisor (see `Supervisor.run`)."""
    return default().run(job, services)


def _make() -> Supervisor:
    from django.conf import settings

    from lambdas.launchers import choose

    home = settings.HOME / "lambdas"
    launcher = choose(home, settings.LAMBDA_LAUNCHER, settings.CONTAINER_ENVIRONMENT)
    return Supervisor(launcher, home / "slots", packages=home)


def _forget() -> None:
    """In a forked child: the parent's slots stay the parent's."""
    global _default, _lock
    _default, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)
