"""The order of the console: which pages stand under which heading, whatever app their models come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model

# Heading → "app label.object name" of what stands under it, in order.
SECTIONS: Sequence[tuple[str, Sequence[str]]] = (
    (
        "Build",
        (
            "core.Workspace",
            "tables.Table",
            "endpoints.ApiGroup",
            "endpoints.Endpoint",
            "stacks.Function",
            "lambdas.Lambda",
            "core.Variable",
        ),
    ),
    ("Watch", ("endpoints.HistoryEntry", "runs.Run")),
    ("Access", ("accounts.User", "accounts.ApiKey")),
)


def has_page(model: type[Model]) -> bool:
    """Whether a model has a page in the console."""
    return any(model._meta.label == name for _, names in SECTIONS for name in names)


def arrange(apps: Mapping[str, Mapping[str, Any]], home: str) -> list[dict[str, Any]]:
    """The admin's app dictionary (models by app label) as sections in the order above.

    `home` is the URL each heading links to. A section without anything the person may see is left out.
    """
    found = {
        f"{label}.{model['object_name']}": model for label, app in apps.items() for model in app["models"]
    }
    sections = [
        _section(heading, [found[name] for name in names if name in found], home)
        for heading, names in SECTIONS
    ]
    return [section for section in sections if section["models"]]


def _section(heading: str, models: list[Any], home: str) -> dict[str, Any]:
    return {
        "name": heading,
        "app_label": heading.lower(),
        "app_url": home,
        "has_module_perms": True,
        "models": models,
    }
