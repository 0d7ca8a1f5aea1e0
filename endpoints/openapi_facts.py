"""The facts of a group's OpenAPI document, gathered from what is published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings

from auth.methods import AuthMethod
from stackyard.core.errors import Faults
from stackyard.core.jsonout import iso
from stackyard.stacks.catalogue import Catalogue, load_catalogue
from stackyard.stacks.check import check_document
from stackyard.stacks.document import ENDPOINT_KEYS
from stackyard.stacks.inputs import InputSet
from stackyard.stacks.models import Function
from stackyard.stacks.outcomes import outcomes

from .checking import is_raw
from .inputs import file_inputs, place_of, with_path_required
from .models import ApiGroup, Endpoint
from .openapi import GroupFacts
from .openapi_limits import EndpointLimits
from .openapi_operation import EndpointFacts, InputFacts, is_flat
from .router import parse_template

# What a caller may be asked for in several ways, by auth method; a method's own scheme is its first.
_BEARER_KEY = {"type": "http", "scheme": "bearer", "description": "The same key as a bearer."}


def gather(group: ApiGroup) -> tuple[GroupFacts, list[EndpointFacts]]:
    """What `openapi.group_document` needs, from the published revisions of the group's active endpoints."""
    rows = list(group.endpoints.filter(active=True, published__isnull=False).select_related("published"))
    catalogue = load_catalogue(group.workspace)
    functions = dict(
        Function.objects.filter(workspace=group.workspace, published__isnull=False).values_list(
            "name", "published__document"
        )
    )
    endpoints = [_endpoint(row, group, catalogue, functions) for row in rows]
    return _group(group, endpoints), endpoints


def _group(group: ApiGroup, endpoints: Sequence[EndpointFacts]) -> GroupFacts:
    schemes: dict[str, Mapping[str, Any]] = {}
    for name in sorted({method for endpoint in endpoints for method in endpoint.auth}):
        schemes.update(security_schemes(name, group.name))
    return GroupFacts(
        name=group.name,
        workspace=group.workspace.name,
        description=group.description,
        servers=list(_addresses(group)),
        deprecated_at=iso(group.deprecated_at) if group.deprecated_at else None,
        sunset_at=iso(group.sunset_at) if group.sunset_at else None,
        successor=next(_addresses(group.successor)) if group.successor else None,
        security_schemes=schemes,
    )


def _addresses(group: ApiGroup) -> Iterator[str]:
    """Where a group answers, the readable address first."""
    if group.mount:
        yield f"{settings.PUBLIC_URL}/api/{group.mount}"
    yield f"{settings.PUBLIC_URL}/api:{group.canonical}"


def security_schemes(method: str, group: str) -> dict[str, Mapping[str, Any]]:
    """The schemes by which an auth method of a group can be met; any one suffices."""
    kind = AuthMethod.all().get(method)
    if kind is None or not kind.security_scheme:
        return {}
    schemes = {method: kind.scheme_of(group)}
    if method == "api_key":
        schemes["api_key_bearer"] = _BEARER_KEY
    return schemes


def _endpoint(
    row: Endpoint, group: ApiGroup, catalogue: Catalogue, functions: Mapping[str, Mapping[str, Any]]
) -> EndpointFacts:
    assert row.published is not None
    document: dict[str, Any] = row.published.document
    auth = list(document.get("auth", []))
    checked = check_document(document, catalogue, extra_keys=ENDPOINT_KEYS)
    ends = outcomes(document, functions)
    return EndpointFacts(
        name=row.name,
        method=row.method,
        path=row.path,
        description=row.description,
        tags=list(document.get("tags", [])),
        auth=auth,
        inputs=_inputs(document, row.method, row.path),
        closed=group.unknown_inputs == "refuse",
        raw_body=is_raw(document),
        response=checked.response,
        statuses=ends.statuses,
        raised=ends.raised,
        limits=_limits(document),
        security=_security(auth, group.name, row.method),
        epoch_timestamps=group.timestamps == "epoch_ms",
    )


def _security(auth: Sequence[str], group: str, http_method: str) -> list[Mapping[str, Sequence[str]]]:
    """Any one of the requirements suffices; the empty one says that nothing is asked."""
    found: list[Mapping[str, Sequence[str]]] = [
        {scheme: AuthMethod.get(method).scopes_for(group, http_method == "GET")}
        for method in auth
        for scheme in security_schemes(method, group)
    ]
    return [*found, {}] if "public" in auth else found


def _limits(document: Mapping[str, Any]) -> EndpointLimits:
    named = {
        "calls_per_second": document.get("limit_per_second") or settings.CALLS_PER_SECOND,
        "calls_per_caller": document.get("limit_per_caller"),
        "request_bytes": document.get("request_bytes"),
        "response_bytes": document.get("response_bytes"),
        "timeout_seconds": document.get("timeout_seconds"),
    }
    return EndpointLimits(**{name: value for name, value in named.items() if value is not None})


def _inputs(document: Mapping[str, Any], method: str, path: str) -> list[InputFacts]:
    template = parse_template(path, Faults())
    assert template is not None, "what is published has a path that reads"
    specs = with_path_required(document.get("inputs", {}), template)
    whole = InputSet(specs).json_schema()
    for name in file_inputs(specs):
        whole["properties"][name] = _upload(whole["properties"][name])
    required = set(whole.get("required", ()))
    return [
        _input(name, schema, place_of(name, specs[name], method, template), required=name in required)
        for name, schema in whole["properties"].items()
    ]


def _upload(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A file, or a list of files, as a multipart form has it."""
    binary: dict[str, Any] = {"type": "string", "format": "binary"}
    if schema.get("type") == "array":
        return {**schema, "items": binary}
    return {**binary, **({"description": schema["description"]} if "description" in schema else {})}


def _input(name: str, schema: Mapping[str, Any], place: str, *, required: bool) -> InputFacts:
    """Where DELETE takes an input from query or body, the document says query if a query can hold it."""
    if place == "either":
        place = "query" if is_flat(schema) else "body"
    wire_name = "-".join(part.capitalize() for part in name.split("_")) if place == "header" else name
    return InputFacts(name, place, schema, required, wire_name)
