"""The audit log as people ask for it: by person, kind, deed, door and time, newest first. Console and API ask alike."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from .models import AuditEntry

FILTERS = {
    "who": "who",
    "kind": "kind",
    "deed": "deed",
    "source": "source",
    "object_id": "object_id",
    "since": "at__gte",
    "until": "at__lt",
}


def entries(workspace_id: int | None, **asked: Any) -> QuerySet[AuditEntry]:
    """The entries of a workspace (None: of all, and of the installation) that fit all of `FILTERS` that are asked."""
    found = AuditEntry.objects.all()
    if workspace_id is not None:
        found = found.filter(workspace_id=workspace_id)
    return found.filter(**{FILTERS[name]: value for name, value in asked.items() if value not in (None, "")})
