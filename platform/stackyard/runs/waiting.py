"""Waiting for a run where there may be no worker: a command does the run itself, unless somebody has it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connections

from . import states
from .models import Run
from .progress import WRITE_SECONDS, progress_value
from .working import work

POLL_SECONDS = 0.25


def finish_here(run: Run, show: Callable[[dict[str, Any]], None]) -> Run:
    """Do a run to its end in this process, or wait for the worker that took it; `show` hears of its progress."""
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(run, show, over), name="run-watch", daemon=True)
    watcher.start()
    try:
        while not run.is_finished:
            if run.state == states.ACCEPTED:
                work(run.pk)
            else:
                time.sleep(POLL_SECONDS)
            run = Run.objects.get(pk=run.pk)
            if run.state == states.ACCEPTED:
                time.sleep(POLL_SECONDS)
    finally:
        over.set()
        watcher.join()
    return run


def _watch(run: Run, show: Callable[[dict[str, Any]], None], over: threading.Event) -> None:
    try:
        while not over.wait(WRITE_SECONDS):
            far = progress_value(Run.objects.get(pk=run.pk))
            if far is not None:
                show(far)
    finally:
        connections.close_all()
