"""The scheduler's process: beat, which wakes schedules, the sweep and the reaper every second."""

from __future__ import annotations


def schedule() -> None:
    """Tick until SIGTERM."""
    from stackyard.celery import app

    app.start(
        [
            "--quiet",
            "beat",
            "--scheduler=stackyard.runs.beat:Scheduler",
            "--loglevel=WARNING",
            "--pidfile=",
            "--max-interval=1",
        ]
    )


if __name__ == "__main__":
    schedule()
