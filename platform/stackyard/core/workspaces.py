"""The one door to workspaces and their variables: create, edit, delete."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from . import version
from .errors import Detail, invalid_input
from .models import Variable, Workspace


def create_workspace(name: str, *, description: str = "", timezone: str = "UTC") -> Workspace:
    """A new, empty workspace. Django ValidationError for a bad or taken name, or an unknown time zone."""
    workspace = Workspace(name=name, description=description, timezone=timezone)
    workspace.full_clean()
    with transaction.atomic():
        workspace.save()
        version.bump()
    return workspace


def edit_workspace(workspace: Workspace, **changes: Any) -> Workspace:
    """Change name, description or time zone. Django ValidationError as in `create_workspace`."""
    for name, value in changes.items():
        setattr(workspace, name, value)
    workspace.full_clean()
    with transaction.atomic():
        workspace.save(update_fields=["name", "description", "timezone"])
        version.bump(workspace.pk)
    return workspace


def create_variable(
    workspace: Workspace, name: str, value: str = "", *, is_secret: bool = False, description: str = ""
) -> Variable:
    """A new variable; a secret's value is encrypted before it is stored. Django ValidationError for its name."""
    variable = Variable(workspace=workspace, name=name, is_secret=is_secret, description=description)
    variable.value = value
    return _save(variable)


def edit_variable(variable: Variable, **changes: Any) -> Variable:
    """Change name, value or description, or make it a secret.

    A secret stays a secret, since turning it back would show what it holds: Problem `INVALID_INPUT`.
    """
    if variable.is_secret and changes.get("is_secret") is False:
        raise invalid_input(
            [Detail("is_secret", "secret", "A secret stays a secret: make another variable for plain text.")]
        )
    kept = variable.value
    for name in ("name", "description", "is_secret"):
        if name in changes:
            setattr(variable, name, changes[name])
    if "value" in changes:
        variable.value = changes["value"]
    elif isinstance(kept, str):
        variable.value = kept
    return _save(variable)


def delete_variable(variable: Variable) -> None:
    """Remove a variable; stacks that name it no longer pass their check."""
    with transaction.atomic():
        variable.delete()
        version.bump(variable.workspace_id)


def _save(variable: Variable) -> Variable:
    variable.full_clean()
    with transaction.atomic():
        variable.save()
        version.bump(variable.workspace_id)
    return variable
