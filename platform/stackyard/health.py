"""`/healthz`: the process is alive. `/readyz`: it can serve, that is, both databases answer and are migrated."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse

from lambdas import supervisor
from stackyard.core.answers import json_answer, only_reads

_log = logging.getLogger(__name__)
_KEPT_SECONDS = 3.0
# Reading the migrations from disk takes a tenth of a second; once applied they stay applied for this process.
_migrated: set[str] = set()


@only_reads
def healthz(request: HttpRequest) -> HttpResponse:
    """200 whenever the process can answer at all; no database is asked."""
    return _answer(True)


@only_reads
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when everything a call needs is there, else 503. What is missing is in the log, not in the answer.

    `lambdas` says which launcher runs them in this process, once it has run one.
    """
    return _answer(readiness.get(), lambdas=supervisor.chosen() or "not started")


def _answer(fine: bool, **more: str) -> HttpResponse:
    body = {"status": "ok" if fine else "not ok", **more}
    answer = json_answer(body, status=200 if fine else 503)
    answer.headers["Cache-Control"] = "no-store"
    return answer


class Readiness:
    """The checks, asked at most every few seconds however often somebody looks."""

    def __init__(self, checks: Mapping[str, Callable[[], None]], kept_seconds: float = _KEPT_SECONDS) -> None:
        self._checks = checks
        self._kept_seconds = kept_seconds
        self._held: tuple[float, bool] | None = None
        self._lock = threading.Lock()

    def get(self) -> bool:
        """Whether every check passed a moment ago."""
        with self._lock:
            now = time.monotonic()
            if self._held is None or now - self._held[0] > self._kept_seconds:
                self._held = (now, self._ask())
            return self._held[1]

    def _ask(self) -> bool:
        fine = True
        for name, check in self._checks.items():
            try:
                check()
            except Exception as error:
                # Whatever is wrong with a database must end in "not ok", never in a 500.
                _log.warning("not ready: %s: %s", name, error)
                fine = False
        return fine


def check_database(alias: str) -> None:
    """The database answers. Raises what the driver raises."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def check_migrations(alias: str) -> None:
    """Every migration is applied. RuntimeError names how many are not."""
    if alias in _migrated:
        return
    executor = MigrationExecutor(connections[alias])
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise RuntimeError(f"{len(missing)} migrations are not applied: run manage.py migrate")
    _migrated.add(alias)


readiness = Readiness(
    {
        "database": lambda: check_database("default"),
        "history": lambda: check_database("history"),
        "migrations": lambda: check_migrations("default"),
    }
)
