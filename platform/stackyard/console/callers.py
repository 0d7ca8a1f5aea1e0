"""As whom a stack is tried: nobody, one of the workspace's API keys, or the person at the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auth.callers import Callers
from auth.keys import FoundKey, valid_keys
from auth.methods.api_key import admitted
from endpoints.models import Endpoint
from stackyard.core.errors import Problem, did_you_mean
from stackyard.core.principal import ANONYMOUS, Principal

from .owners import StackOwner

BUILDER, NOBODY, KEY = "builder", "anonymous", "key:"


def choices(owner: StackOwner, user: Any) -> list[dict[str, str]]:
    """What can be chosen, as `{value, label}`."""
    keys = _by_name(owner)
    return [
        {"value": BUILDER, "label": f"You ({user})"},
        {"value": NOBODY, "label": "Anonymous"},
        *({"value": f"{KEY}{name}", "label": f"API key {name}"} for name in keys),
    ]


def caller_of(owner: StackOwner, document: Mapping[str, Any], choice: str, user: Any) -> Principal:
    """The chosen caller, let in as the document says. Problem 401 or 403 as a live call would get.

    A builder may run everything. Problem `INVALID_INPUT` for a choice that there is not (any more).
    """
    if choice == BUILDER:
        return Principal("builder", user.pk, owner.workspace.pk, frozenset({"*"}), label=str(user))
    key = _key(owner, choice) if choice.startswith(KEY) else None
    if key is None and choice != NOBODY:
        raise Problem("INVALID_INPUT", "Say who calls: builder, anonymous, or key: and the name of a key.")
    if not isinstance(owner.row, Endpoint):
        return key.principal if key is not None else ANONYMOUS
    methods = document.get("auth") or ["api_key"]
    group, name = owner.row.group.name, str(document.get("name") or owner.row.name)
    reads = document.get("method") in ("GET", "HEAD")
    if key is not None and "api_key" in methods:
        return admitted(key, group, name, reads)
    return Callers([str(method) for method in methods]).identify({}, owner.workspace.pk, group, name, reads)


def _by_name(owner: StackOwner) -> dict[str, FoundKey]:
    return {key.principal.label: key for key in valid_keys(owner.workspace.pk)}


def _key(owner: StackOwner, choice: str) -> FoundKey:
    keys, name = _by_name(owner), choice.removeprefix(KEY)
    if name not in keys:
        hint = did_you_mean(name, keys)
        raise Problem("NOT_FOUND", f'There is no valid API key "{name}" in this workspace.{hint}')
    return keys[name]
