"""Durable runs: the row is the job, Celery is the courier (runtime.md, "Runs: accepted is never lost")."""
