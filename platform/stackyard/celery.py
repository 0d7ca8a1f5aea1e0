"""The Celery application: the courier between those who accept runs and the workers that do them.

Settings are reliability.md §8 rule 11: Celery alone loses work in several ways that were measured, so the row in
`stackyard.runs` is the job and Celery only carries its id.
"""

from __future__ import annotations

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stackyard.settings")

# The embedded transport: a folder of the home (stackyard/runs/folder.py).
TRANSPORT_ALIASES["folder"] = "stackyard.runs.folder:Transport"

app = Celery("stackyard")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery would close the database's connection before and after every run, which costs more than a trivial run does;
# this many closings are left out. The task looks after its connection itself (stackyard/runs/tasks.py).
app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000
app.autodiscover_tasks(["stackyard.runs"])
