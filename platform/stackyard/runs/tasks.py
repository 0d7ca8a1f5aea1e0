"""What Celery calls. Arguments are ids only; every task begins with a claim, so a message may come twice."""

from __future__ import annotations

from celery import shared_task
from django.db import close_old_connections

from .working import work


@shared_task(name="stackyard.runs.execute", ignore_result=True)
def execute(run_id: str) -> None:
    """One attempt at a run."""
    close_old_connections()
    work(run_id)
