"""A new version of an API: the group copied to the next mount, so that old callers keep what they have.

A group is a version (contract.md §2). The copy answers at once with what the old one has published; its drafts come
along. The old group names the new one as its successor, which callers are told once it is deprecated (RFC 9745).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from stackyard.core.errors import Problem
from stackyard.core.models import Workspace

from . import groups, publishing
from .models import ApiGroup, Endpoint

_COPIED = ("description", "docs", "cors", "unknown_inputs", "timestamps")
_NUMBER = re.compile(r"(\d+)(?=\D*\Z)")


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A copied group; `unpublished` are the endpoints whose published stack fails today's check, kept as drafts."""

    group: ApiGroup
    unpublished: list[Endpoint]


def propose(group: ApiGroup) -> dict[str, str]:
    """The name and mount of a group's next version that nobody has: `shop`, v1 becomes `shop-v2`, v2."""
    name, mount = group.name, _next(group.mount, "/v2") if group.mount else f"{group.name}/v2"
    while ApiGroup.objects.filter(mount=mount).exists():
        mount = _next(mount, "/v2")
    while _is_taken(group.workspace, name):
        name = _next(name, "-v2") if re.search(r"-v\d+\Z", name) else f"{name}-v2"
    return {"name": name, "mount": mount}


def new_version(group: ApiGroup, author: Any = None, **chosen: str) -> NewVersion:
    """Copy a group with its endpoints to another name and mount, live at once.

    `chosen` are `name`, `mount` and `canonical`; what is left out is proposed, or made by chance. Django
    ValidationError for a bad or taken one; nothing is made then.
    """
    with transaction.atomic():
        copied = {name: getattr(group, name) for name in _COPIED}
        made = groups.create_group(group.workspace, **{**propose(group), **copied, **_given(chosen)})
        endpoints = group.endpoints.select_related("published").order_by("pk")
        copies = [_copy(endpoint, made, author) for endpoint in endpoints]
        if group.successor_id is None:
            groups.edit_group(group, successor=made)
    return NewVersion(made, [copy for copy in copies if copy is not None])


def _given(chosen: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in chosen.items() if value}


def _copy(endpoint: Endpoint, group: ApiGroup, author: Any) -> Endpoint | None:
    """The copy of an endpoint; returned only when what was published could not be published again."""
    published: Any = endpoint.published.document if endpoint.published else None
    draft: Any = endpoint.draft
    copy = publishing.create_endpoint(group, published or draft, author)
    failed = published is not None and not _is_published(copy, author, endpoint)
    if published is not None and draft != published:
        publishing.save_draft(copy, draft, author)
    if not endpoint.active:
        publishing.set_active(copy, False)
    return copy if failed else None


def _is_published(copy: Endpoint, author: Any, endpoint: Endpoint) -> bool:
    try:
        publishing.publish(copy, author, f"Copied from {endpoint.group.name}")
    except Problem:
        return False
    return True


def _is_taken(workspace: Workspace, name: str) -> bool:
    return ApiGroup.objects.filter(workspace=workspace, name=name).exists()


def _next(text: str, start: str) -> str:
    """The text with its last number counted up, or with `start` at its end when it has none."""
    if _NUMBER.search(text) is None:
        return f"{text}{start}"
    return _NUMBER.sub(lambda found: str(int(found[1]) + 1), text, count=1)
