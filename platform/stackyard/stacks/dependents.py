"""Which published stacks would stop working when a table, a field, a function or a lambda goes away."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.dispatch import receiver

from stackyard.core.errors import Detail
from stackyard.core.models import Workspace
from stackyard.tables.narrowing import narrowed
from stackyard.tables.readers import Reader, read_by, readers_asked
from stackyard.tables.schema import fresh_schema

from .catalogue import load_catalogue
from .check import check_document
from .models import Function


def broken(
    workspace_id: int, documents: Iterable[tuple[str, Mapping[str, Any]]], names: Sequence[str] = ()
) -> list[Detail]:
    """What is wrong now with published documents, given as (label, document).

    With `names`, only documents that hold one of them are looked at.
    """
    catalogue = None
    details: list[Detail] = []
    for label, document in documents:
        if names and not mentions(document, names):
            continue
        if catalogue is None:
            workspace = Workspace.objects.get(pk=workspace_id)
            catalogue = load_catalogue(workspace, schema=fresh_schema(workspace_id))
        for fault in check_document(document, catalogue, extra_keys=tuple(document)).errors:
            place = f"{label}, line {fault.line_id}" if fault.line_id else label
            details.append(Detail(place, fault.code, fault.message))
    return details


def mentions(document: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether a document's text holds one of the names; cheap, and never misses one."""
    text = json.dumps(document, ensure_ascii=False)
    return any(name in text for name in names)


@receiver(narrowed)
def _functions_first(workspace_id: int, names: Sequence[str], **_: Any) -> list[Detail]:
    rows = Function.objects.filter(workspace_id=workspace_id, published__isnull=False)
    found = rows.values_list("name", "published__document")
    return broken(workspace_id, ((f"function {name}", document) for name, document in found), names)


@receiver(readers_asked)
def _functions_that_read(workspace_id: int, table: str, field: str, **_: Any) -> list[Reader]:
    rows = Function.objects.filter(workspace_id=workspace_id).select_related("published")
    return [
        reader
        for row in rows
        for reader in read_by("function", row.pk, row.name, documents_of(row), table, field)
    ]


def documents_of(owner: Any) -> list[Mapping[str, Any]]:
    """What is published of an endpoint, function or lambda, and its draft."""
    return [owner.draft, *([owner.published.document] if owner.published else [])]
