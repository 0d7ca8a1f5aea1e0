"""The worker's process: Celery with as many children as there is work, between WORKERS_AT_LEAST and WORKERS_AT_MOST."""

from __future__ import annotations


def work() -> None:
    """Do runs until SIGTERM."""
    from django.conf import settings

    from stackyard.celery import app

    least, most = settings.WORKERS_AT_LEAST, settings.WORKERS_AT_MOST
    app.worker_main(
        [
            "--quiet",
            "worker",
            "--pool=prefork",
            f"--autoscale={max(least, most)},{least}",
            "--loglevel=WARNING",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )


if __name__ == "__main__":
    work()
