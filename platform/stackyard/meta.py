"""The management API put together: the routes of every app's `api.py`, and their description."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, include, path, resolve
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from drf_spectacular.generators import SchemaGenerator

from endpoints.docs import Served, answer_document, doc_page, form_of, spelled
from stackyard.core.answers import only_reads, problem_answer
from stackyard.core.errors import Problem

PREFIX = "api:meta/"
_MODULES = (
    "stackyard.core.api",
    "stackyard.core.api_files",
    "stackyard.core.audit.api",
    "stackyard.runs.api",
    "stackyard.tables.api",
    "stackyard.tables.api_records",
    "stackyard.tables.api_csv",
    "stackyard.tables.api_conversions",
    "stackyard.tables.api_foresight",
    "stackyard.tables.api_test_data",
    "stackyard.stacks.api",
    "auth.api",
    "auth.api_oauth",
    "auth.api_providers",
    "auth.api_team",
    "endpoints.api",
    "endpoints.api_blueprints",
    "endpoints.api_history",
    "lambdas.api",
    "stackyard.alerts.api",
)


@csrf_exempt
def without_slash(request: HttpRequest, rest: str) -> HttpResponse:
    """One trailing slash is ignored (contract §2)."""
    if rest.endswith("/"):
        return nothing_here(request)
    match = resolve(f"/{PREFIX}{rest}")
    return match.func(request, *match.args, **match.kwargs)


@csrf_exempt
def nothing_here(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Every other address below `/api:meta`, which no API group can have."""
    return problem_answer(request, Problem("NOT_FOUND", "The management API has nothing at this address."))


@lru_cache(maxsize=4)
def _description(form: str, public_url: str) -> Served:
    """The document; it only changes with the code and the installation's address."""
    document: dict[str, Any] = SchemaGenerator(patterns=described).get_schema(request=None, public=True)
    document["servers"] = [{"url": public_url}]
    return spelled(document, form)


@only_reads
def apispec(request: HttpRequest) -> HttpResponse:
    """`/apispec:meta`: YAML, or JSON with `?type=json`. It says nothing about this installation, so it is public."""
    return answer_document(request, _description(form_of(request), settings.PUBLIC_URL), public=True)


@only_reads
@ensure_csrf_cookie
def apidoc(request: HttpRequest) -> HttpResponse:
    """`/apidoc:meta`: Swagger UI, where somebody who is signed in to the console can also try things out."""
    return doc_page(
        request, "Stackyard: management API", "/apispec:meta", csrf_cookie=settings.CSRF_COOKIE_NAME
    )


described: list[Any] = [path(PREFIX, include(module)) for module in _MODULES]

urlpatterns: list[URLPattern | Any] = [
    path("apispec:meta", apispec),
    path("apidoc:meta", apidoc),
    *described,
    path(f"{PREFIX}<path:rest>/", without_slash),
    path(f"{PREFIX}<path:rest>", nothing_here),
    path(PREFIX, nothing_here),
    path(PREFIX.rstrip("/"), nothing_here),
]
