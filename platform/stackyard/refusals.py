"""What Django itself refuses (404, 400, 403, 500): as a page in the console, in the contract's shape elsewhere."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import defaults
from django.views.csrf import csrf_failure as csrf_page

from stackyard.core.answers import problem_answer
from stackyard.core.errors import Problem
from stackyard.core.meta.errors import problem_of


def wants_page(request: HttpRequest) -> bool:
    """Whether a person looks: anywhere in the console, or with a browser that asks for HTML."""
    return request.path_info.startswith("/admin/") or "text/html" in request.headers.get("Accept", "")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    if wants_page(request):
        return defaults.page_not_found(request, exception)
    return problem_answer(request, Problem("NOT_FOUND", "There is nothing at this address."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: a host that is not allowed, a body past the limits, a suspicious session."""
    if wants_page(request):
        return defaults.bad_request(request, exception)
    problem = problem_of(exception) or Problem("INVALID_INPUT", "The request cannot be understood.")
    return problem_answer(request, problem)


def access_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    if wants_page(request):
        return defaults.permission_denied(request, exception)
    return problem_answer(request, Problem("ACCESS_DENIED", "You may not do this."))


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW."""
    if wants_page(request):
        return csrf_page(request, reason=reason)
    return problem_answer(
        request,
        Problem("ACCESS_DENIED", "The CSRF token is missing or wrong.", suggestion="Send X-CSRFToken."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: an id and nothing else."""
    if wants_page(request):
        return defaults.server_error(request)
    return problem_answer(request, Problem("INTERNAL_ERROR", "Something went wrong here."))
