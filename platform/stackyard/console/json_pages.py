"""JSON for the console's scripts: behind the console's session and CSRF, Problems as the contract's error shape.

Who is not signed in is led to the login page, as from every page; a script sees that it was redirected and says so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from stackyard.core.answers import json_answer, problem_answer
from stackyard.core.errors import Problem, invalid_input
from stackyard.core.meta.bodies import read_json

Deed = Callable[..., Any]


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The request's JSON object, `{}` when there is none. Problem `INVALID_INPUT` for anything else."""
    body = read_json(request, may_be_empty=True)
    if not isinstance(body, dict):
        raise invalid_input([], "The body must be a JSON object.")
    return body


def json_page(**deeds: Deed) -> Callable[..., HttpResponse]:
    """A view of the console's own: `json_page(get=…, post=…)`; each deed gives the value to answer with."""

    @functools.wraps(next(iter(deeds.values())))
    def view(request: HttpRequest, **names: Any) -> HttpResponse:
        deed = deeds.get(str(request.method).lower())
        if deed is None:
            return HttpResponseNotAllowed([name.upper() for name in deeds])
        try:
            answer = deed(request, **names)
        except Problem as problem:
            answer = problem_answer(request, problem)
        if not isinstance(answer, HttpResponse):
            answer = json_answer(answer)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return admin.site.admin_view(view)
