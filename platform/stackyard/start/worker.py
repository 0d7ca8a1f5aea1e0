"""The worker's process: Celery with as many children as there is work, between WORKERS_AT_LEAST and WORKERS_AT_MOST."""

from __future__ import annotations

import warnings


def work() -> None:
    """Do runs until SIGTERM; then take nothing more, and let those in hand end (runs/pool.py)."""
    from celery import concurrency
    from celery.exceptions import CPendingDeprecationWarning, SecurityWarning
    from django.conf import settings

    from stackyard.celery import app

    # What it warns of as root is messages with code in them; ours are JSON and an id.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    # Each time that a broker goes away, it announces what a later Celery will do.
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
    # What the command line calls `custom` is fixed before this module is reached, when Celery is imported.
    concurrency.ALIASES["custom"] = "stackyard.runs.pool:TaskPool"
    least, most = settings.WORKERS_AT_LEAST, settings.WORKERS_AT_MOST
    app.worker_main(
        [
            "--quiet",
            "worker",
            "--pool=custom",
            f"--autoscale={max(least, most)},{least}",
            "--loglevel=WARNING",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )


if __name__ == "__main__":
    work()
