"""What the visual editor asks for once, the same for every stack: step kinds, filters, and the pieces of expressions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import get_language

from stackyard.core.errors import Problem
from stackyard.core.expressions.pieces import pieces_of
from stackyard.core.jsonout import encode
from stackyard.stacks.palette import filter_kinds, step_kinds

from .stack_editor import answering, body_of, json_answer, only

MAX_SOURCES = 1_000


@lru_cache(maxsize=16)
def _served(of: Callable[[], Any], language: str | None) -> tuple[bytes, str]:
    """The bytes and their strong ETag (RFC 9110 §8.8.3); they only change with the code and the language."""
    raw = encode(of())
    return raw, f'"{hashlib.sha256(raw).hexdigest()[:32]}"'


def _palette(request: HttpRequest, of: Callable[[], Any]) -> HttpResponse:
    only(request, "GET", "HEAD")
    raw, etag = _served(of, get_language())
    known = [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]
    answer = HttpResponse(status=304) if etag in known else HttpResponse(raw, content_type="application/json")
    answer.headers["ETag"] = etag
    # Kept by the browser, and asked about each time.
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Vary"] = "Accept-Language, Cookie"
    return answer


def steps(request: HttpRequest) -> HttpResponse:
    """Every step kind."""
    return _palette(request, step_kinds)


def filters(request: HttpRequest) -> HttpResponse:
    """Every filter."""
    return _palette(request, filter_kinds)


def expressions(request: HttpRequest) -> HttpResponse:
    """The pieces of many expressions at once: `{"sources": [text]}` → `{"expressions": {text: pieces}}`."""
    only(request, "POST")
    sources = body_of(request, "sources").get("sources")
    if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
        raise Problem("INVALID_INPUT", "sources: expected a list of texts.")
    if len(sources) > MAX_SOURCES:
        raise Problem("INVALID_INPUT", f"sources: at most {MAX_SOURCES:,} at once.")
    return json_answer({"expressions": {source: pieces_of(source) for source in sources}})


def urls(guard: Callable[[Any], Any]) -> list[URLPattern]:
    """Their routes; `guard` is the site's `admin_view`."""
    views = {"steps": steps, "filters": filters, "expressions": expressions}
    return [
        path(f"editor/{name}/", guard(answering(view)), name=f"editor_{name}") for name, view in views.items()
    ]
