"""Published endpoints have a say before a table, a field, a function or a lambda they use goes away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from stackyard.core.errors import Detail
from stackyard.stacks.dependents import broken
from stackyard.tables.narrowing import narrowed

from .models import Endpoint


@receiver(narrowed)
def _endpoints_first(workspace_id: int, names: Sequence[str], **_: Any) -> list[Detail]:
    rows = Endpoint.objects.filter(group__workspace_id=workspace_id, published__isnull=False)
    found = rows.values_list("group__name", "name", "published__document").iterator()
    return broken(
        workspace_id, ((f"endpoint {group}/{name}", document) for group, name, document in found), names
    )
