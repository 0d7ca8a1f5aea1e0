"""Responses of an operation, and the components that every error response shares."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stackyard.core.answers import status_phrase
from stackyard.stacks.endings import Raised

from .openapi_text import clean, one_line

_REQUEST_ID = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
_RATE_HEADERS = {
    name: {"$ref": f"#/components/headers/{name}"}
    for name in ("Retry-After", "RateLimit", "RateLimit-Policy")
}
_EXAMPLE_ID = "0198c5d2f0a87c3e"


def error_components() -> dict[str, Any]:
    """`components`: the contract's error shape and the headers that answers carry."""
    return {"schemas": {"Detail": _detail_schema(), "Error": _error_schema()}, "headers": _headers()}


def _error_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "What every error looks like.",
        "properties": {
            "error": {
                "type": "object",
                "properties": {
                    "code": {"type": "string", "description": "What happened, for programs."},
                    "message": {"type": "string", "description": "What happened, for people."},
                    "suggestion": {"type": "string", "description": "What to do about it."},
                    "request_id": {"type": "string", "description": "The same as `X-Request-ID`."},
                    "details": {"description": "Every place to mend, all at once.", **_detail_list()},
                },
                "required": ["code", "message", "request_id"],
            }
        },
        "required": ["error"],
    }


def _detail_list() -> dict[str, Any]:
    own = {"description": "What a stack's own error carries: any value."}
    return {"anyOf": [{"type": "array", "items": {"$ref": "#/components/schemas/Detail"}}, own]}


def _detail_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "One place to mend.",
        "properties": {
            "field": {"type": "string", "description": "A dotted path such as `items.2.price`."},
            "code": {"type": "string"},
            "message": {"type": "string"},
        },
        "required": ["field", "code", "message"],
    }


def _headers() -> dict[str, Any]:
    def header(description: str, type_: str) -> dict[str, Any]:
        return {"description": description, "schema": {"type": type_}}

    return {
        "RateLimit": header(
            "What is left of the limit now (draft-ietf-httpapi-ratelimit-headers).", "string"
        ),
        "RateLimit-Policy": header("The limit that holds.", "string"),
        "Retry-After": header("Seconds to wait before the next call.", "integer"),
        "X-Request-ID": header("Names this call in the request history and in errors.", "string"),
    }


def responses(
    statuses: Sequence[int | None], schema: Mapping[str, Any], raised: Sequence[Raised]
) -> dict[str, Any]:
    """`responses` of an operation: success statuses first, then errors by status, `default` last."""
    made: dict[str, Any] = {}
    for status in statuses:
        made[str(status) if status is not None else "2XX"] = _success(status, schema)
    by_status: dict[int | None, list[Raised]] = {}
    for problem in raised:
        by_status.setdefault(problem.status, []).append(problem)
    for status in sorted(by_status, key=lambda status: (status is None, status or 0)):
        name = str(status) if status is not None else "default"
        if name not in made:
            made[name] = _failure(status, _distinct(by_status[status]))
    return made


def _success(status: int | None, schema: Mapping[str, Any]) -> dict[str, Any]:
    description = (
        status_phrase(status) if status is not None else "The stack decides the status when it runs."
    )
    return {
        "description": description,
        "headers": _REQUEST_ID,
        "content": {"application/json": {"schema": dict(schema)}},
    }


def _failure(status: int | None, problems: Sequence[Raised]) -> dict[str, Any]:
    """One response for all problems of a status: their codes as an enum, an example for each."""
    listed = "\n".join(f"- `{one_line(p.code)}`{_after(p.message)}" for p in problems if p.code is not None)
    heading = (
        status_phrase(status) if status is not None else "An error whose status is decided when it runs."
    )
    return {
        "description": f"{heading}\n\n{listed}" if listed else heading,
        "headers": {**_REQUEST_ID, **(_RATE_HEADERS if status == 429 else {})},
        "content": {"application/json": {"schema": _coded_schema(problems), **_examples(problems)}},
    }


def _after(message: str) -> str:
    return f": {one_line(message)}" if message else ""


def _coded_schema(problems: Sequence[Raised]) -> dict[str, Any]:
    error = {"$ref": "#/components/schemas/Error"}
    if any(problem.code is None for problem in problems):
        return error
    codes = [clean(problem.code) for problem in problems if problem.code is not None]
    named = {"properties": {"error": {"properties": {"code": {"enum": codes}}}}}
    return {"allOf": [error, named]}


def _examples(problems: Sequence[Raised]) -> dict[str, Any]:
    examples = {
        f"example_{number}": {"summary": one_line(problem.code), "value": {"error": _example(problem)}}
        for number, problem in enumerate(problems, start=1)
        if problem.code is not None
    }
    return {"examples": examples} if examples else {}


def _example(problem: Raised) -> dict[str, Any]:
    error: dict[str, Any] = {"code": clean(problem.code or ""), "message": clean(problem.message)}
    if problem.suggestion:
        error["suggestion"] = clean(problem.suggestion)
    error["request_id"] = _EXAMPLE_ID
    return error


def _distinct(problems: Sequence[Raised]) -> list[Raised]:
    """The first problem of every code, in order."""
    return list({problem.code: problem for problem in reversed(problems)}.values())[::-1]


def share(operations: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Put error responses that several operations have into `components/responses`; they are replaced in place."""
    found: dict[str, list[tuple[dict[str, Any], str]]] = {}
    for made in operations:
        for status, response in made["responses"].items():
            if not status.startswith("2"):
                found.setdefault(json.dumps([status, response]), []).append((made["responses"], status))
    shared: dict[str, Any] = {}
    for places in found.values():
        if len(places) < 2:
            continue
        responses_, status = places[0]
        name = _free_name(status, shared)
        shared[name] = responses_[status]
        for held, at in places:
            held[at] = {"$ref": f"#/components/responses/{name}"}
    return dict(sorted(shared.items()))


def _free_name(status: str, taken: Mapping[str, Any]) -> str:
    """`NotFound`, or `NotFound2` where there is another one already."""
    plain = (
        "".join(word for word in status_phrase(int(status)).title() if word.isalnum())
        if status.isdigit()
        else "Error"
    )
    number = 1
    while (name := plain if number == 1 else f"{plain}{number}") in taken:
        number += 1
    return name
