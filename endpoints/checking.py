"""The check of an endpoint's document: what is the endpoint's own, beside its stack."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from auth.methods import AuthMethod
from stackyard.core.data_source import SOURCES
from stackyard.core.errors import Faults, did_you_mean
from stackyard.core.limits import (
    CALLS_PER_CALLER,
    CALLS_PER_SECOND,
    REQUEST_BYTES,
    RESPONSE_BYTES,
    STACK_SECONDS,
    Limit,
)
from stackyard.core.names import is_name, name_rule

from .inputs import check_places
from .models import METHODS, ApiGroup, Endpoint
from .router import Template, conflict, parse_template

LIMITS: Mapping[str, Limit] = {
    "limit_per_second": CALLS_PER_SECOND,
    "limit_per_caller": CALLS_PER_CALLER,
    "request_bytes": REQUEST_BYTES,
    "response_bytes": RESPONSE_BYTES,
    "timeout_seconds": STACK_SECONDS,
}


def check_endpoint(
    group: ApiGroup, document: Mapping[str, Any], faults: Faults, endpoint: Endpoint | None = None
) -> None:
    """Every fault of a document as an endpoint of this group. `endpoint` is the one it belongs to already."""
    check_name(group, document.get("name"), faults, endpoint)
    _check_description(document.get("description"), faults)
    _check_auth(document.get("auth"), faults)
    _check_limits(document, faults)
    method = document.get("method")
    if method not in METHODS:
        faults.error(("method",), "method", f"The method must be one of {', '.join(METHODS)}.")
    _check_body(document, faults)
    if not isinstance(document.get("trace", False), bool):
        faults.error(("trace",), "type", "trace is true or false.")
    _check_sources(document.get("data_sources"), faults)
    template = parse_template(document.get("path"), faults)
    if template is not None and method in METHODS:
        _check_conflict(group, str(method), template, faults, endpoint)
        check_places(document.get("inputs"), str(method), template, faults, is_raw(document))


def is_raw(document: Mapping[str, Any]) -> bool:
    """Whether an endpoint takes any body, for its stack to read."""
    return document.get("body") == "raw"


def check_name(group: ApiGroup, name: object, faults: Faults, endpoint: Endpoint | None) -> None:
    """Whether an endpoint of this group may have this name."""
    if not is_name(name):
        faults.error(("name",), "name", f"The endpoint needs a name. {name_rule()}")
        return
    twins = group.endpoints.filter(name=name)
    if endpoint is not None:
        twins = twins.exclude(pk=endpoint.pk)
    if twins.exists():
        faults.error(("name",), "name", f'The group already has an endpoint "{name}".')


def _check_description(description: object, faults: Faults) -> None:
    if description is not None and not isinstance(description, str):
        faults.error(("description",), "type", "The description must be text.")


def _check_auth(methods: object, faults: Faults) -> None:
    known = AuthMethod.all()
    if not isinstance(methods, list) or not methods:
        faults.error(
            ("auth",), "auth", f"Say who may call: a list with one or more of {', '.join(sorted(known))}."
        )
        return
    for index, name in enumerate(methods):
        if not isinstance(name, str) or name not in known:
            hint = did_you_mean(str(name), known)
            faults.error(("auth", index), "auth", f'There is no auth method "{name}".{hint}')
        elif name in methods[:index]:
            faults.error(("auth", index), "auth", f'"{name}" is listed twice.')


def _check_limits(document: Mapping[str, Any], faults: Faults) -> None:
    for key, limit in LIMITS.items():
        value = document.get(key)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= limit.maximum:
            faults.error(
                (key,),
                "limit",
                f"{limit.meaning}: a whole number from 1 to {limit.maximum:,} ({limit.unit}).",
            )


def _check_sources(given: object, faults: Faults) -> None:
    """Which data callers may choose; without it test data is for those who say who they are."""
    if given is None:
        return
    if not isinstance(given, list) or not given or any(source not in SOURCES for source in given):
        faults.error(("data_sources",), "value", "data_sources is a list with live, test or both.")


def _check_body(document: Mapping[str, Any], faults: Faults) -> None:
    """`body` is `inputs`, or `raw`: any body is taken and none of it is read as inputs."""
    body = document.get("body", "inputs")
    if body not in ("inputs", "raw"):
        faults.error(("body",), "value", 'body is "inputs" or "raw".')
    elif body == "raw" and document.get("method") == "GET":
        faults.error(("body",), "value", "A GET request has no body.")


def _check_conflict(
    group: ApiGroup, method: str, template: Template, faults: Faults, endpoint: Endpoint | None
) -> None:
    others = group.endpoints.filter(method=method, published__isnull=False)
    if endpoint is not None:
        others = others.exclude(pk=endpoint.pk)
    names: dict[Template, str] = {}
    for name, path in others.values_list("name", "path"):
        other = _published_template(path)
        if other is not None:
            names[other] = name
    twin = conflict(template, names)
    if twin is not None:
        message = (
            f'{method} {template} and {method} {twin} of endpoint "{names[twin]}" would answer the same URL.'
        )
        faults.error(
            ("path",), "conflict", message, suggestion="Make one of them differ in a literal segment."
        )


@lru_cache(maxsize=16_384)
def _published_template(path: str) -> Template | None:
    """The template of a path that was checked before: read once, since every check compares with all of a group."""
    return parse_template(path, Faults())
