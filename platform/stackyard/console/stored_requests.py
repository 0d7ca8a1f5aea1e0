"""Requests out of the history, as inputs to try a stack with again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from endpoints.inputs import place_of
from endpoints.models import Endpoint, HistoryEntry
from endpoints.router import Template, parse_template, split_path
from stackyard.core.body import parse_body, parse_pairs
from stackyard.core.errors import Faults, Problem
from stackyard.core.secrets import MASK

from .owners import StackOwner

_SHOWN = 20


def recent(owner: StackOwner) -> list[dict[str, Any]]:
    """The last calls of an endpoint, to choose from."""
    if not isinstance(owner.row, Endpoint):
        return []
    entries = HistoryEntry.objects.filter(endpoint_id=owner.row.pk, workspace_id=owner.workspace.pk)
    rows = entries.order_by("-id").values_list("pk", "method", "path", "query", "status", "created_at")
    return [
        {"id": pk, "method": method, "path": path, "query": query, "status": status, "created_at": created_at}
        for pk, method, path, query, status, created_at in rows[:_SHOWN]
    ]


def entry_of(owner: StackOwner, number: int) -> HistoryEntry:
    """A stored request of this endpoint. Problem `NOT_FOUND`."""
    found = HistoryEntry.objects.filter(
        pk=number, workspace_id=owner.workspace.pk, endpoint_id=owner.row.pk
    ).first()
    if found is None or not isinstance(owner.row, Endpoint):
        raise Problem("NOT_FOUND", "There is no stored request with this id of this endpoint.")
    return found


def headers_of(entry: HistoryEntry) -> dict[str, str]:
    """The headers that were kept, without those that were hidden."""
    kept = _read_json(entry.request_headers)
    return {str(name): str(value) for name, value in kept.items() if value != MASK}


def inputs_of(document: Mapping[str, Any], entry: HistoryEntry) -> dict[str, Any]:
    """`inputs` by name as they were sent, and `missing`: the names whose values were secret or cut off.

    Texts of the path, query and headers stay texts; the run reads them as a call would.
    """
    method, template = str(document.get("method")), parse_template(document.get("path"), Faults())
    found: dict[str, Any] = {**_query(entry.query), **_body(entry)}
    found.update(_path_values(template or Template(()), entry.path))
    headers = _read_json(entry.request_headers)
    specs = document.get("inputs") or {}
    for name, spec in specs.items():
        if place_of(name, spec, method, template or Template(())) == "header":
            value = headers.get(name.replace("_", "-").lower())
            if value is not None:
                found[name] = value
    hidden = [name for name, value in found.items() if _holds_mask(value)]
    was_cut = entry.request_bytes > 0 and not _body(entry)
    missing = [*hidden, *(name for name in specs if was_cut and name not in found)]
    inputs = {name: value for name, value in found.items() if name not in hidden}
    return {"inputs": inputs, "missing": missing}


def _query(text: str) -> dict[str, Any]:
    try:
        return dict(parse_pairs(text)) if text else {}
    except Problem:
        return {}


def _body(entry: HistoryEntry) -> dict[str, Any]:
    kind = _read_json(entry.request_headers).get("content-type", "application/json")
    try:
        read = parse_body(entry.request_body.encode(), str(kind)) if entry.request_body else {}
    except Problem:
        # Cut off, or masked in a form: what it held cannot be told.
        return {}
    return dict(read) if isinstance(read, Mapping) else {}


def _path_values(template: Template, path: str) -> dict[str, str]:
    """What stood in the places of the path, found from its end: the group's address may have changed meanwhile."""
    try:
        sent = split_path(path)
    except Problem:
        return {}
    segments = template.segments
    if not segments or len(sent) < len(segments):
        return {}
    pairs = list(zip(segments, sent[-len(segments) :], strict=True))
    if any(not segment.is_parameter and segment.text != text for segment, text in pairs):
        return {}
    return {segment.text: text for segment, text in pairs if segment.is_parameter}


def _read_json(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text or "{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _holds_mask(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_mask(part) for part in value.values())
    if isinstance(value, list):
        return any(_holds_mask(part) for part in value)
    return isinstance(value, str) and MASK in value
