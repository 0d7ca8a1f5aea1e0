"""The OpenAPI 3.1 document of an API group, from what is published.

Pure functions from facts to JSON data: no database, no request, the same facts give the same bytes.
`endpoints.docs` gathers the facts and serves the document. Source: OpenAPI Specification 3.1.1, whose
schemas are JSON Schema 2020-12.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from .openapi_operation import EndpointFacts, operation, tags_of
from .openapi_responses import error_components, share
from .openapi_text import clean

_METHOD_ORDER = {"GET": 0, "POST": 1, "PUT": 2, "PATCH": 3, "DELETE": 4}
_PARAMETER = re.compile(r"\{([^{}]*)\}")
# RFC 3986 `pchar`, without what quote() leaves alone anyway.
_PATH_SAFE = "!$&'()*+,;=:@"


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What the document says about the group. `servers` are absolute URLs, the preferred one first."""

    name: str
    workspace: str
    description: str
    servers: Sequence[str]
    version: str = "1"
    deprecated_at: str | None = None
    sunset_at: str | None = None
    successor: str | None = None
    security_schemes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def group_document(group: GroupFacts, endpoints: Sequence[EndpointFacts]) -> dict[str, Any]:
    """The whole document as JSON data, in one fixed order."""
    paths = _paths(group, endpoints)
    components = error_components()
    shared = share(operation for item in paths.values() for operation in item.values())
    if shared:
        components["responses"] = shared
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": _about(group),
        "servers": [{"url": url} for url in group.servers],
        "tags": [{"name": tag} for tag in sorted({tag for one in endpoints for tag in tags_of(one)})],
        "paths": paths,
        "components": components,
    }
    schemes = {name: dict(scheme) for name, scheme in sorted(group.security_schemes.items())}
    if schemes:
        components["securitySchemes"] = schemes
    return document


def _about(group: GroupFacts) -> dict[str, Any]:
    title = group.name if group.name == group.workspace else f"{group.workspace}: {group.name}"
    return {"title": clean(title), "version": group.version, "description": clean(_about_text(group))}


def _about_text(group: GroupFacts) -> str:
    """The description, then what holds for every operation."""
    parts = [group.description] if group.description else []
    if group.deprecated_at:
        gone = f" and will stop answering on {group.sunset_at}" if group.sunset_at else ""
        parts.append(f"This version is deprecated as of {group.deprecated_at}{gone}.")
    if group.successor:
        parts.append(f"Its successor is at {group.successor}.")
    parts.append(
        "Every answer carries `X-Request-ID`: the one that was sent, or one made here. "
        "Every error has the shape of the schema `Error`."
    )
    return "\n\n".join(parts)


def _paths(group: GroupFacts, endpoints: Sequence[EndpointFacts]) -> dict[str, Any]:
    """Path items. Templates that differ only in parameter names are one path, so the first one's names hold."""
    paths: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    for endpoint in sorted(endpoints, key=_order):
        template = spelled.setdefault(_PARAMETER.sub("{}", endpoint.path), endpoint.path)
        names = dict(zip(_PARAMETER.findall(endpoint.path), _PARAMETER.findall(template), strict=True))
        made = operation(endpoint, names)
        if group.deprecated_at:
            made["deprecated"] = True
        paths.setdefault(_url_template(template), {})[endpoint.method.lower()] = made
    return paths


def _order(endpoint: EndpointFacts) -> tuple[str, int]:
    return endpoint.path, _METHOD_ORDER.get(endpoint.method, len(_METHOD_ORDER))


def _url_template(path: str) -> str:
    """The path as a URL has it: literal segments percent-encoded, parameters as they are."""
    segments = [
        segment if _PARAMETER.fullmatch(segment) else quote(segment, safe=_PATH_SAFE)
        for segment in path.split("/")
    ]
    return "/".join(segments) or "/"
