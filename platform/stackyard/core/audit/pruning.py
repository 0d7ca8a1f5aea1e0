"""How much of the audit log is kept: by count and age. The oldest go, a few hundred at a time, beside all other work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from .models import AuditEntry

_BATCH = 500
_ROUNDS = 20


def prune(kept: int | None = None, days: float | None = None) -> int:
    """Delete what is too much or too old, at most 10,000 entries; how many. Each batch is a short transaction of its own."""
    kept = settings.AUDIT_ENTRIES if kept is None else kept
    days = settings.AUDIT_DAYS if days is None else days
    deleted = 0
    for _ in range(_ROUNDS):
        oldest = list(_too_old(days) or _too_many(kept))
        if not oldest:
            break
        deleted += AuditEntry.objects.filter(pk__in=oldest).delete()[0]
    return deleted


def _too_old(days: float) -> Any:
    edge = timezone.now() - timedelta(days=days)
    return AuditEntry.objects.filter(at__lt=edge).order_by("at").values_list("pk", flat=True)[:_BATCH]


def _too_many(kept: int) -> Any:
    # Ids ascend with time; the first one beyond the bound is found by the primary key alone.
    edge = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True)[kept : kept + 1]
    first = next(iter(edge), None)
    if first is None:
        return []
    return AuditEntry.objects.filter(pk__lte=first).order_by("pk").values_list("pk", flat=True)[:_BATCH]
