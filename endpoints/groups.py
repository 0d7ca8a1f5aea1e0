"""The one door to API groups: create, edit, delete."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import transaction

from stackyard.core import version
from stackyard.core.errors import Detail, Faults, invalid_input
from stackyard.core.models import Workspace

from .cors import check_cors
from .models import ApiGroup

_COLUMNS = frozenset(
    {
        "name",
        "canonical",
        "mount",
        "description",
        "docs",
        "docs_token",
        "cors",
        "unknown_inputs",
        "timestamps",
        "deprecated_at",
        "sunset_at",
        "successor",
        "active",
    }
)


def create_group(workspace: Workspace, name: str, **more: Any) -> ApiGroup:
    """A group without endpoints. Django ValidationError for a bad or taken name, canonical or mount."""
    return _save(ApiGroup(workspace=workspace), {"name": name, **more})


def first_group(workspace: Workspace) -> ApiGroup:
    """The group of a workspace that has none: named as it is, mounted at v1 where that is free, else at <name>/v1."""
    mounts = ["v1", f"{workspace.name}/v1"]
    taken = set(ApiGroup.objects.filter(mount__in=mounts).values_list("mount", flat=True))
    free = [mount for mount in mounts if mount not in taken]
    name = workspace.name if workspace.name != "meta" else "api"
    return create_group(workspace, name, mount=free[0] if free else None)


def edit_group(group: ApiGroup, **changes: Any) -> ApiGroup:
    """Change what is named. Django ValidationError as in `create_group`, Problem for a successor elsewhere."""
    return _save(group, changes)


def delete_group(group: ApiGroup) -> None:
    """Remove a group with its endpoints; their addresses answer 404 from the next request on."""
    with transaction.atomic():
        workspace_id = group.workspace_id
        group.delete()
        version.bump(workspace_id)


def _save(group: ApiGroup, values: dict[str, Any]) -> ApiGroup:
    for name, value in values.items():
        if name not in _COLUMNS:
            raise TypeError(f"an API group has no {name!r}")
        setattr(group, name, value)
    group.mount = group.mount or None
    if group.docs == "token" and not group.docs_token:
        group.docs_token = secrets.token_urlsafe(24)
    group.full_clean()
    faults = Faults()
    check_cors(group.cors, faults)
    faults.raise_errors()
    _check_dates_and_successor(group)
    with transaction.atomic():
        group.save()
        version.bump(group.workspace_id)
    return group


def _check_dates_and_successor(group: ApiGroup) -> None:
    faults = []
    if group.successor is not None and group.successor.workspace_id != group.workspace_id:
        faults.append(
            Detail("successor", "workspace", "The successor must be a group of the same workspace.")
        )
    if group.successor is not None and group.successor.pk == group.pk:
        faults.append(Detail("successor", "self", "A group cannot succeed itself."))
    if group.sunset_at and group.deprecated_at and group.sunset_at < group.deprecated_at:
        faults.append(
            Detail("sunset_at", "order", "The sunset cannot come before the deprecation (RFC 9745 §4).")
        )
    if faults:
        raise invalid_input(faults)
