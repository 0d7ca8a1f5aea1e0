"""A check at the start: Celery's settings without which it loses or doubles messages (reliability.md §8 rule 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

NEEDED: Mapping[str, Any] = {
    "CELERY_TASK_ACKS_LATE": True,
    "CELERY_TASK_REJECT_ON_WORKER_LOST": True,
    "CELERY_WORKER_PREFETCH_MULTIPLIER": 1,
    "CELERY_TASK_IGNORE_RESULT": True,
    "CELERY_TASK_SERIALIZER": "json",
    "CELERY_ACCEPT_CONTENT": ["json"],
    "CELERY_TASK_PUBLISH_RETRY": False,
    "CELERY_WORKER_MAX_TASKS_PER_CHILD": 200,
}
# A broker that accepts and never answers would hold a worker for ever without these.
NEEDED_WITH_REDIS = (
    "visibility_timeout",
    "socket_timeout",
    "socket_connect_timeout",
    "health_check_interval",
)


def check_celery(**_: Any) -> list[CheckMessage]:
    """One error for each setting that is not as it must be."""
    faults = [
        f"{name} must be {value!r}"
        for name, value in NEEDED.items()
        if getattr(settings, name, None) != value
    ]
    if settings.REDIS_URL:
        options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
        faults += [
            f"CELERY_BROKER_TRANSPORT_OPTIONS must name {name}"
            for name in NEEDED_WITH_REDIS
            if not options.get(name)
        ]
    return [Error(f"{fault}: else runs wait longer, or forever.", id="runs.E001") for fault in faults]
