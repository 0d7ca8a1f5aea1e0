"""Published endpoints have a say before a table, a field, a function or a lambda they use goes away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from stackyard.core.errors import Detail
from stackyard.stacks.dependents import broken, documents_of
from stackyard.tables.narrowing import narrowed
from stackyard.tables.readers import Reader, read_by, readers_asked

from .models import Endpoint


@receiver(narrowed)
def _endpoints_first(workspace_id: int, names: Sequence[str], **_: Any) -> list[Detail]:
    rows = Endpoint.objects.filter(group__workspace_id=workspace_id, published__isnull=False)
    found = rows.values_list("group__name", "name", "published__document").iterator()
    return broken(
        workspace_id, ((f"endpoint {group}/{name}", document) for group, name, document in found), names
    )


@receiver(readers_asked)
def _endpoints_that_read(workspace_id: int, table: str, field: str, **_: Any) -> list[Reader]:
    rows = Endpoint.objects.filter(group__workspace_id=workspace_id).select_related("published", "group")
    return [
        reader
        for row in rows
        for reader in read_by(
            "endpoint", row.pk, f"{row.group.name}/{row.name}", documents_of(row), table, field
        )
    ]
