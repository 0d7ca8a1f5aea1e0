"""The worker's process: Celery with as many children as there is work, between WORKERS_AT_LEAST and WORKERS_AT_MOST."""

from __future__ import annotations

import os
import warnings

# Read by Celery when it is imported: SIGTERM stops a worker as SIGQUIT does. It takes nothing more, gives the runs
# in its hands `worker_soft_shutdown_timeout` to end, and then ends itself; else it would wait without limit.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")


def work() -> None:
    """Do runs until SIGTERM."""
    from celery import concurrency
    from celery.exceptions import SecurityWarning
    from django.conf import settings

    from stackyard.celery import app

    # What it warns of as root is messages with code in them; ours are JSON and an id.
    warnings.filterwarnings("ignore", category=SecurityWarning)
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
