"""Every error of the management API in the contract's shape, whoever raised it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.exceptions import ValidationError as ModelError
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework.response import Response

from ..errors import Detail, Problem, invalid_input, problem_body
from ..request_id import request_id_of

_CODE_OF_STATUS: Mapping[int, str] = {
    400: "INVALID_INPUT",
    401: "UNAUTHORIZED",
    403: "ACCESS_DENIED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "TOO_MANY_REQUESTS",
}


def answer_error(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler. None for what is not a caller's fault: Django then answers 500 and logs it."""
    problem = problem_of(error)
    if problem is None:
        return None
    request = context["request"]
    if isinstance(error, drf.MethodNotAllowed):
        problem.headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return Response(
        problem_body(problem, request_id_of(request._request)),
        status=problem.status,
        headers=problem.headers,
    )


def problem_of(error: Exception) -> Problem | None:
    """The Problem an exception stands for, or None when it is a fault of ours."""
    match error:
        case Problem():
            return error
        case drf.ValidationError():
            return invalid_input(list(_drf_details(error.detail)))
        case ModelError():
            return invalid_input(list(_model_details(error)))
        case drf.APIException():
            return _of_drf(error)
        case Http404() | ObjectDoesNotExist():
            return Problem("NOT_FOUND", "There is nothing here.")
        case PermissionDenied():
            return Problem("ACCESS_DENIED", str(error) or "You may not do this.")
        case ProtectedError():
            return Problem("CONFLICT", "Something else still uses this, so it cannot be deleted.")
        case IntegrityError():
            return Problem("CONFLICT", "This clashes with something that is there already.")
        case RequestDataTooBig():
            return Problem("PAYLOAD_TOO_LARGE", "The request body is too large.")
        case SuspiciousOperation():
            return Problem("INVALID_INPUT", "The request cannot be understood.")
    return None


def _of_drf(error: drf.APIException) -> Problem:
    status = error.status_code
    code = (
        "INVALID_JSON" if isinstance(error, drf.ParseError) else _CODE_OF_STATUS.get(status, "INVALID_INPUT")
    )
    headers = {}
    challenge = getattr(error, "auth_header", None)
    if challenge:
        headers["WWW-Authenticate"] = challenge
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(int(wait))
    return Problem(code, str(error.detail), status=status, headers=headers)


def _drf_details(detail: Any, path: str = "") -> Iterator[Detail]:
    """DRF's nested lists and maps of faults as flat details with dotted fields."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            here = path if key == "non_field_errors" else f"{path}.{key}" if path else str(key)
            yield from _drf_details(inner, here)
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list | tuple)
            yield from _drf_details(inner, f"{path}.{index}" if nested and path else path)
    else:
        yield Detail(path, getattr(detail, "code", None) or "invalid", str(detail))


def _model_details(error: ModelError) -> Iterator[Detail]:
    if hasattr(error, "error_dict"):
        for field, inner in error.error_dict.items():
            for one in inner:
                yield from _model_messages(one, "" if field == NON_FIELD_ERRORS else field)
    else:
        for one in error.error_list:
            yield from _model_messages(one, "")


def _model_messages(error: ModelError, field: str) -> Iterator[Detail]:
    for message in error.messages:
        yield Detail(field, error.code or "invalid", message)
