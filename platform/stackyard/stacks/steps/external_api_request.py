"""Ask another server."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from stackyard.core import outbound
from stackyard.core import types as t
from stackyard.core.errors import Problem
from stackyard.core.expressions.operations import failed, is_number, kind_of
from stackyard.core.limits import OUTBOUND_RETRIES, OUTBOUND_SECONDS

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Constant, Value
from ..step import Line, Step
from ..values import is_constant

ANSWER = t.object_of({"status": t.INT, "headers": t.OBJECT, "body": t.ANY, "duration": t.FLOAT})


def external_api_request(
    execution: Execution,
    method: Any,
    url: Any,
    headers: Any,
    query: Any,
    body: Any,
    body_type: Any,
    timeout: Any,
    follow_redirects: Any,
    retries: Any,
) -> dict[str, Any]:
    """The answer, whatever its status. It takes at most what is left of the run's own time."""
    execution.check_time()
    times, any_method = _retries(retries)
    left = execution.deadline - time.monotonic()
    if follow_redirects.__class__ is not bool:
        failed(f'"follow_redirects" is true or false, not {kind_of(follow_redirects)}.')
    try:
        response = outbound.request(
            method,
            url,
            headers=headers,
            query=query,
            body=body,
            body_type=body_type,
            timeout=min(float(timeout), left) if is_number(timeout) else timeout,
            follow_redirects=follow_redirects,
            retries=times,
            retry_any_method=any_method,
        )
    except Problem:
        execution.check_time()
        raise
    return {
        "status": response.status,
        "headers": dict(response.headers),
        "body": response.parsed(),
        "duration": round(response.duration_seconds, 3),
    }


def _retries(given: Any) -> tuple[Any, bool]:
    """`3`, or `{times: 3, any_method: true}`; how many there may be is checked with the request."""
    if not isinstance(given, dict):
        return given or 0, False
    if not set(given) <= {"times", "any_method"} or not isinstance(given.get("any_method", False), bool):
        failed('"retries" is a whole number or {times, any_method}.')
    return given.get("times", 0), given.get("any_method", False)


class ExternalApiRequest(Step):
    """Ask another server over HTTP. Every status is an answer to go on with, 4xx and 5xx too; only when no answer comes
    there is an error: REQUEST_FAILED, REQUEST_TIMEOUT, or ADDRESS_REFUSED for what is not on the public internet. The result is
    `{status, headers, body, duration}`: header names in lower case; the body parsed when it is JSON, a text when it is text,
    else `{"$bytes": base64}`; the duration in seconds.
    """

    name = "external_api_request"
    label = "External API request"
    group = "code"
    icon = "globe"
    sentence = "{method} {url}"
    synonyms = "http https fetch call rest webhook send get post curl axios integration"
    goes_out = True
    result_name = "reply"
    parameters = (
        Value("method", "GET, POST, PUT, PATCH, DELETE …", default="GET", type=t.TEXT),
        Value("url", "The address, with https:// or http://.", required=True, type=t.TEXT, title="Address"),
        Value("headers", "Header names and texts, such as keys of the API.", default={}, type=t.OBJECT),
        Value(
            "query",
            "Names and values added to the address; a list gives a name several times.",
            default={},
            type=t.OBJECT,
        ),
        Value("body", "What is sent; null sends nothing."),
        Constant(
            "body_type",
            "How the body is sent: as JSON, as a form, as a form with files ({name, content, type}), or as it is.",
            default="json",
            choices=outbound.BODY_TYPES,
        ),
        Value(
            "timeout",
            "Seconds that all of it may take, redirects and retries included.",
            default=OUTBOUND_SECONDS.default,
            type=t.NUMBER,
            advanced=True,
        ),
        Value(
            "follow_redirects", "Follow redirects, at most five.", default=True, type=t.BOOL, advanced=True
        ),
        Value(
            "retries",
            "How often to send it again, with growing pauses, when no answer comes or it is 429, 502, 503 or 504. POST and "
            "PATCH only with an Idempotency-Key header or {times: 3, any_method: true}.",
            default=OUTBOUND_RETRIES.default,
            advanced=True,
        ),
    )
    raises = ("ADDRESS_REFUSED", "REQUEST_FAILED", "REQUEST_TIMEOUT")
    run = staticmethod(external_api_request)
    examples = (
        {
            "lines": [
                {
                    "step": "external_api_request",
                    "as": "answer",
                    "params": {
                        "method": "POST",
                        "url": "https://api.example.com/v1/contacts",
                        "headers": {"X-Api-Key": "…"},
                        "body": {"email": "ann@example.com"},
                        "retries": 3,
                    },
                }
            ],
            "response": "answer.status",
            "is": 201,
            # It would leave this machine, so the tests only check it.
            "runs": False,
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """What is written out is checked as far as it can be before anybody is asked."""
        type_ = super().check(line, checker)
        url = line.params.get("url")
        if is_constant(url) and isinstance(url, str) and not url.lower().startswith(("https://", "http://")):
            checker.error(line.at("url"), "url", "An address begins with https:// or http://.")
        _check_number(checker, line, "timeout", 0, OUTBOUND_SECONDS.maximum, "seconds")
        _check_number(checker, line, "retries", -1, OUTBOUND_RETRIES.maximum, "retries")
        return type_

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """The answer."""
        return ANSWER


def _check_number(checker: StackChecker, line: Line, name: str, above: int, most: int, unit: str) -> None:
    given = line.params.get(name)
    if isinstance(given, int | float) and not above < given <= most:
        checker.error(line.at(name), "range", f'"{name}" is at most {most} {unit}, not {given}.')
