"""One function a noun: each makes a valid thing with what a test does not care about filled in."""

from __future__ import annotations

from typing import Any

from stackyard.core.models import Workspace


def make_workspace(name: str = "shop", **more: Any) -> Workspace:
    """A workspace."""
    return Workspace.objects.create(name=name, **more)
