"""Answers of plain Django views in the contract's shapes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from .errors import Problem, problem_body
from .jsonout import encode
from .request_id import request_id_of

# RFC 9110's words where older versions of Python still have those before it.
_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}


def status_phrase(status: int) -> str:
    """The words that go with a status (RFC 9110 §15), or `Status 499` where there are none."""
    try:
        return _PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


View = Callable[..., HttpResponseBase]
_READS = "GET, HEAD, OPTIONS"


def json_answer(value: Any, *, status: int = 200) -> HttpResponse:
    """A value as JSON."""
    return HttpResponse(encode(value), status=status, content_type="application/json")


def problem_answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """A Problem in the contract's shape, with its headers."""
    answer = json_answer(problem_body(problem, request_id_of(request)), status=problem.status)
    for name, value in problem.headers.items():
        answer.headers[name] = value
    return answer


def only_reads(view: View) -> View:
    """A view that answers GET and HEAD, tells OPTIONS so, and refuses the rest with 405; Problems become answers."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": _READS})
        try:
            if request.method not in ("GET", "HEAD"):
                raise Problem(
                    "METHOD_NOT_ALLOWED", f"{request.method} is not allowed here.", headers={"Allow": _READS}
                )
            return view(request, *args, **kwargs)
        except Problem as problem:
            return problem_answer(request, problem)

    # No cookie gives any right behind these views, and a POST must be answered 405, not 403.
    guarded.csrf_exempt = True  # type: ignore[attr-defined]
    return guarded
