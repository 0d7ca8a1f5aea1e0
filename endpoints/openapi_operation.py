"""One operation of the OpenAPI document: parameters, request body, responses, security."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stackyard.core.types import ANY, INT, Type, json_schema
from stackyard.stacks.endings import Raised

from .openapi_limits import EndpointLimits, platform_problems
from .openapi_responses import responses
from .openapi_text import clean, encodable, first_sentence

_FLAT = {"string", "integer", "number", "boolean"}


@dataclass(frozen=True, slots=True)
class InputFacts:
    """One input: where it comes from (`path`, `query`, `header`, `body`) and the JSON Schema of its values.

    `wire_name` is its name there, such as `X-Signature`.
    """

    name: str
    place: str
    schema: Mapping[str, Any]
    required: bool = False
    wire_name: str = ""


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """What the document says about an endpoint, all of it from the published revision."""

    name: str
    method: str
    path: str
    description: str = ""
    tags: Sequence[str] = ()
    auth: Sequence[str] = ()
    inputs: Sequence[InputFacts] = ()
    closed: bool = True
    raw_body: bool = False
    response: Type = ANY
    statuses: Sequence[int | None] = (200,)
    raised: Sequence[Raised] = ()
    limits: EndpointLimits = field(default_factory=EndpointLimits)
    security: Sequence[Mapping[str, Sequence[str]]] = ()
    epoch_timestamps: bool = False


_IDEMPOTENCY_KEY: Mapping[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "Does a request that is sent again only once: for 24 hours the same request with the same key gets the first answer, with"
        " `Idempotent-Replayed: true`. The key with another request, or while the first is in flight, is 409."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}


def tags_of(endpoint: EndpointFacts) -> list[str]:
    """Its own tags, or the first literal segment of its path, which groups the operations on one resource."""
    if endpoint.tags:
        return [clean(tag) for tag in endpoint.tags]
    literal = [segment for segment in endpoint.path.split("/") if segment and "{" not in segment]
    return [clean(literal[0])] if literal else ["root"]


def operation(endpoint: EndpointFacts, path_names: Mapping[str, str]) -> dict[str, Any]:
    """The operation object. `path_names` maps this endpoint's path parameters to the names the template has."""
    made: dict[str, Any] = {"operationId": clean(endpoint.name), "tags": tags_of(endpoint)}
    description = clean(endpoint.description)
    made["summary"] = first_sentence(description) or clean(endpoint.name)
    if description and description != made["summary"]:
        made["description"] = description
    parameters = [_parameter(given, path_names) for given in endpoint.inputs if given.place != "body"]
    asked = {(one["in"], one["name"].lower()) for one in parameters}
    if endpoint.method == "POST" and ("header", "idempotency-key") not in asked:
        parameters.append(dict(_IDEMPOTENCY_KEY))
    if parameters:
        made["parameters"] = parameters
    body = [given for given in endpoint.inputs if given.place == "body"]
    if body:
        made["requestBody"] = _request_body(body, closed=endpoint.closed)
    elif endpoint.raw_body:
        made["requestBody"] = {"content": {"*/*": {"schema": {}}}}
    made["responses"] = _responses(endpoint, has_body=bool(body))
    made["security"] = [{name: list(scopes) for name, scopes in one.items()} for one in endpoint.security]
    made["x-limits"] = endpoint.limits.as_dict()
    return made


def _responses(endpoint: EndpointFacts, *, has_body: bool) -> dict[str, Any]:
    own = platform_problems(
        has_inputs=bool(endpoint.inputs) or endpoint.closed,
        has_body=has_body,
        auth=endpoint.auth,
        limits=endpoint.limits,
    )
    answered = epoch(endpoint.response) if endpoint.epoch_timestamps else endpoint.response
    return responses(endpoint.statuses, safe_schema(json_schema(answered)), [*endpoint.raised, *own])


def _parameter(given: InputFacts, path_names: Mapping[str, str]) -> dict[str, Any]:
    name = path_names.get(given.name, given.name) if given.place == "path" else given.wire_name or given.name
    made: dict[str, Any] = {"name": name, "in": given.place}
    if given.schema.get("description"):
        made["description"] = clean(given.schema["description"])
    if given.required or given.place == "path":
        made["required"] = True
    schema = safe_schema({key: value for key, value in given.schema.items() if key != "description"})
    if is_flat(given.schema):
        made["schema"] = schema
    else:
        made["content"] = {"application/json": {"schema": schema}}
    return made


def _request_body(given: Sequence[InputFacts], *, closed: bool) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {one.name: one.schema for one in given},
    }
    required = [one.name for one in given if one.required]
    if required:
        schema["required"] = required
    if closed:
        schema["additionalProperties"] = False
    kinds = ["application/json"]
    if any(_is_binary(one.schema) for one in given):
        kinds = ["multipart/form-data"]
    elif all(is_flat(one.schema) for one in given):
        kinds += ["application/x-www-form-urlencoded", "multipart/form-data"]
    safe = safe_schema(schema)
    body: dict[str, Any] = {"content": {kind: {"schema": safe} for kind in kinds}}
    if required:
        body["required"] = True
    return body


def _is_binary(schema: Mapping[str, Any]) -> bool:
    items = schema.get("items")
    return schema.get("format") == "binary" or (
        isinstance(items, Mapping) and items.get("format") == "binary"
    )


def is_flat(schema: Mapping[str, Any]) -> bool:
    """Whether a form or a query string can say it: a plain value, or a list of plain values."""
    names = _type_names(schema)
    if names == {"array"}:
        items = schema.get("items")
        return isinstance(items, Mapping) and bool(_type_names(items)) and _type_names(items) <= _FLAT
    return bool(names) and names <= _FLAT


def _type_names(schema: Mapping[str, Any]) -> set[str]:
    names = schema.get("type", [])
    return ({names} if isinstance(names, str) else set(names)) - {"null"}


def epoch(type_: Type) -> Type:
    """The type where timestamps are answered as epoch milliseconds."""
    if type_.name == "timestamp":
        return INT.or_null() if type_.nullable else INT
    if type_.name == "list" and type_.of is not None:
        return Type("list", nullable=type_.nullable, of=epoch(type_.of))
    if type_.name == "object" and type_.fields is not None:
        fields = {key: epoch(value) for key, value in type_.fields.items()}
        return Type("object", nullable=type_.nullable, fields=fields, open=type_.open)
    return type_


def safe_schema(value: Any) -> Any:
    """A schema that every reader can take: texts that UTF-8 can carry, and no property called `$ref`.

    Readers that resolve references before they read schemas take such a property for a reference; it is left out
    and the object said to be open instead.
    """
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, list | tuple):
        made = [safe_schema(entry) for entry in value]
        return list(dict.fromkeys(made)) if all(isinstance(entry, str) for entry in made) else made
    if not isinstance(value, Mapping):
        return value
    schema = {encodable(str(key)): safe_schema(entry) for key, entry in value.items()}
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and "$ref" in properties and "$ref" not in schema:
        schema["properties"] = {key: entry for key, entry in properties.items() if key != "$ref"}
        schema["required"] = [key for key in schema.get("required", ()) if key != "$ref"]
        schema["additionalProperties"] = True
    return schema
