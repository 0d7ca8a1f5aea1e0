"""An OpenAPI document as rows for a reference page: what to send, what comes back, with references followed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_DEEPEST = 6
_MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One value that is sent or received. `depth` is how far it is nested, `name` empty for the whole body."""

    name: str
    type: str
    required: bool
    text: str
    depth: int
    place: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response: its status, when it comes, its body as rows and as an example."""

    status: str
    text: str
    rows: list[Row]
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint."""

    anchor: str
    method: str
    path: str
    title: str
    text: str
    auth: str
    sent: list[Row]
    answers: list[Answer]
    curl: str
    is_deprecated: bool


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Every operation of a document, in its order."""
    return [
        _operation(document, path, method, found)
        for path, item in document["paths"].items()
        for method, found in item.items()
        if isinstance(found, dict)
    ]


def _operation(document: Mapping[str, Any], path: str, method: str, found: Mapping[str, Any]) -> Operation:
    sent = [_parameter(document, given) for given in found.get("parameters", [])]
    body = _schema_of(document, found.get("requestBody", {}))
    if body is not None:
        sent += _rows(document, body, "body")
    answers = [_answer(document, str(status), one) for status, one in found.get("responses", {}).items()]
    security = found.get("security") or []
    return Operation(
        anchor=str(found.get("operationId") or f"{method}-{path}"),
        method=method.upper(),
        path=path,
        title=str(found.get("summary") or ""),
        text=str(found.get("description") or ""),
        auth=" / ".join(name for one in security for name in one),
        sent=sent,
        answers=answers,
        curl=_curl(document, path, method.upper(), found, security, body),
        is_deprecated=bool(found.get("deprecated")),
    )


def _parameter(document: Mapping[str, Any], given: Mapping[str, Any]) -> Row:
    given = _followed(document, given)
    return Row(
        str(given["name"]),
        type_name(document, given.get("schema", {})),
        bool(given.get("required")),
        str(given.get("description") or ""),
        0,
        str(given["in"]),
    )


def _answer(document: Mapping[str, Any], status: str, found: Mapping[str, Any]) -> Answer:
    found = _followed(document, found)
    schema = _schema_of(document, found)
    rows = [] if schema is None else list(_rows(document, schema, ""))
    example: Any = None
    for media in found.get("content", {}).values():
        if "example" in media:
            example = media["example"]
        elif media.get("examples"):
            example = _followed(document, next(iter(media["examples"].values()))).get("value")
    if example is None and schema is not None and status.startswith("2"):
        example = sample(document, schema)
    text = "" if example is None else json.dumps(example, indent=2, ensure_ascii=False)
    return Answer(status, str(found.get("description") or ""), rows, text)


def _schema_of(document: Mapping[str, Any], holder: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for media in _followed(document, holder).get("content", {}).values():
        if "schema" in media:
            return _followed(document, media["schema"])
    return None


def _followed(document: Mapping[str, Any], found: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(8):
        reference = found.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        target: Any = document
        for part in reference[2:].split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        found = target
    return found


def _rows(document: Mapping[str, Any], schema: Mapping[str, Any], place: str) -> list[Row]:
    rows: list[Row] = []
    for row in _walk(document, schema, 0, place):
        if len(rows) == _MOST_ROWS:
            break
        rows.append(row)
    return rows


def _walk(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int, place: str) -> Iterator[Row]:
    schema = _inner(document, schema)
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        if depth == 0:
            yield Row("", type_name(document, schema), True, str(schema.get("description") or ""), 0, place)
        return
    required = schema.get("required", [])
    for name, given in properties.items():
        given = _followed(document, given)
        text = str(given.get("description") or "")
        yield Row(name, type_name(document, given), name in required, text, depth, place)
        if depth < _DEEPEST and isinstance(_inner(document, given).get("properties"), dict):
            yield from _walk(document, given, depth + 1, place)


def _inner(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an array holds, or the one thing that is not null."""
    for _ in range(4):
        schema = _followed(document, schema)
        choices = [one for one in schema.get("anyOf", schema.get("oneOf", [])) if one.get("type") != "null"]
        if "items" in schema and isinstance(schema["items"], dict):
            schema = schema["items"]
        elif len(choices) == 1:
            schema = choices[0]
        else:
            break
    return schema


def type_name(document: Mapping[str, Any], schema: Any) -> str:
    """A schema in a few words: `integer`, `text (email)`, `list of object`, `one of "a", "b"`."""
    if not isinstance(schema, dict):
        return "any"
    schema = _followed(document, schema)
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)
    if "enum" in schema:
        return " | ".join(json.dumps(one, ensure_ascii=False) for one in schema["enum"][:12])
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " | ".join(dict.fromkeys(type_name(document, one) for one in choices))
    names = schema.get("type", "any")
    names = names if isinstance(names, list) else [names]
    return " | ".join(_one_type(document, name, schema) for name in names)


def _one_type(document: Mapping[str, Any], name: str, schema: Mapping[str, Any]) -> str:
    if name == "array":
        return f"list of {type_name(document, schema.get('items', {}))}"
    if name == "string":
        return f"text ({schema['format']})" if "format" in schema else "text"
    return str(name)


def sample(document: Mapping[str, Any], schema: Any, depth: int = 0) -> Any:
    """A value that fits a schema."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    schema = _followed(document, schema)
    for word in ("example", "const", "default"):
        if word in schema:
            return schema[word]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    for one in schema.get("anyOf", schema.get("oneOf", [])):
        return sample(document, one, depth + 1)
    names = schema.get("type")
    name = names[0] if isinstance(names, list) and names else names
    if name == "object":
        given = schema.get("properties", {})
        return {key: sample(document, one, depth + 1) for key, one in given.items()}
    if name == "array":
        return [sample(document, schema.get("items", {}), depth + 1)]
    texts = {"date": "2026-01-31", "date-time": "2026-01-31T09:00:00Z", "email": "ann@example.com"}
    plain = {"integer": 1, "number": 1.5, "boolean": True, "null": None}
    return plain.get(str(name), texts.get(str(schema.get("format")), "text"))


def _curl(
    document: Mapping[str, Any],
    path: str,
    method: str,
    found: Mapping[str, Any],
    security: list[Mapping[str, Any]],
    body: Mapping[str, Any] | None,
) -> str:
    servers = document.get("servers") or [{"url": ""}]
    parts = ["curl"] + ([f"-X {method}"] if method != "GET" else [])
    if security and all(security):
        parts.append("-H 'X-API-Key: YOUR_KEY'")
    address = servers[0]["url"] + path
    if body is not None:
        parts.append("-H 'Content-Type: application/json'")
        parts.append(f"-d {_quoted(json.dumps(sample(document, body), ensure_ascii=False))}")
    parts.append(_quoted(address))
    return " ".join(parts)


def _quoted(text: str) -> str:
    """A word of a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"
