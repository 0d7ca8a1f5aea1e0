"""Samples: inputs to try a stack with, and the curl line that sends them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings

from endpoints.inputs import place_of
from endpoints.router import Template, parse_template
from stackyard.core.errors import Faults, Problem
from stackyard.core.yaml import load

_BY_TYPE: Mapping[str, Any] = {
    "int": 1,
    "float": 1.5,
    "decimal": 1.5,
    "bool": True,
    "timestamp": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "ann@example.com",
    "json": {},
    "object": {},
    "list": [],
    "reference": 1,
}


def sample_of(document: Mapping[str, Any]) -> str:
    """Sample inputs as JSON text: the required ones, and those of the path; all of them when none is."""
    inputs = document.get("inputs")
    inputs = inputs if isinstance(inputs, dict) else {}
    path = document.get("path") if isinstance(document.get("path"), str) else ""
    wanted = {
        name: spec
        for name, spec in inputs.items()
        if f"{{{name}}}" in str(path) or (isinstance(spec, dict) and spec.get("required"))
    }
    return json.dumps(
        {name: _sample(spec) for name, spec in (wanted or inputs).items()}, indent=2, ensure_ascii=False
    )


def _sample(spec: Any) -> Any:
    spec = {"type": spec} if isinstance(spec, str) else spec if isinstance(spec, dict) else {}
    for given in ("example", "default"):
        if given in spec:
            return spec[given]
    values = spec.get("values")
    if isinstance(values, list) and values:
        return values[0]
    if spec.get("type") == "object" and isinstance(spec.get("fields"), dict):
        made: Any = {name: _sample(part) for name, part in spec["fields"].items()}
    elif spec.get("type") == "list":
        made = [_sample(spec.get("of"))] if spec.get("of") else []
    else:
        made = _BY_TYPE.get(str(spec.get("type")), "text")
    return [made] if spec.get("list") else made


def read_sample(text: str) -> dict[str, Any]:
    """Sample inputs from JSON (or YAML) text. Problem `INVALID_YAML` or `INVALID_INPUT` when they are no map."""
    inputs = load(text).data
    if inputs is None:
        return {}
    if not isinstance(inputs, dict):
        raise Problem("INVALID_INPUT", 'The inputs must be a map, such as {"customer_id": 1}.')
    return inputs


def filled_path(document: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """An endpoint's path with these inputs in place of its parameters, percent-encoded."""
    path = str(document.get("path", "/"))
    for name, value in inputs.items():
        path = path.replace(f"{{{name}}}", quote(_as_text(value), safe=""))
    return path


def curl_line(document: Mapping[str, Any], prefix: str, inputs: Mapping[str, Any]) -> str:
    """The shell line that calls an endpoint below `prefix` (such as `/api/v1`) with these inputs."""
    method = str(document.get("method", "GET"))
    template = parse_template(document.get("path"), Faults()) or Template(())
    specs = document.get("inputs") or {}
    query: list[tuple[str, str]] = []
    headers: list[str] = []
    body: dict[str, Any] = {}
    for name, value in inputs.items():
        place = place_of(name, specs.get(name), method, template)
        if place == "header":
            headers.append(f"{name.replace('_', '-')}: {_as_text(value)}")
        elif place in {"query", "either"}:
            query.extend((name, _as_text(v)) for v in (value if isinstance(value, list) else [value]))
        elif place == "body":
            body[name] = value
    url = f"{settings.PUBLIC_URL}{prefix}{filled_path(document, inputs)}"
    if query:
        url += "?" + urlencode(query)
    return _line(method, url, headers, body, list(document.get("auth") or []))


def _line(method: str, url: str, headers: list[str], body: Mapping[str, Any], auth: list[Any]) -> str:
    parts = ["curl"]
    if method != "GET":
        parts += ["-X", method]
    for header in headers:
        parts += ["-H", header]
    if body:
        parts += ["-H", "Content-Type: application/json", "-d", json.dumps(body, ensure_ascii=False)]
    line = shlex.join([*parts, url])
    # The key stays a shell variable, so that it is not in what people paste into chats and tickets.
    return line if "public" in auth or "api_key" not in auth else f'{line} -H "X-API-Key: $KEY"'


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
