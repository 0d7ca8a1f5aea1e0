"""The one door to the outside (safety.md 1): every request to another server goes through `request`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from .. import tracing
from ..errors import Problem
from ..limits import OUTBOUND_BYTES, OUTBOUND_REDIRECTS, OUTBOUND_RETRIES, OUTBOUND_SECONDS
from .bodies import encoded
from .clock import Clock
from .connections import exchange
from .faults import failed, invalid
from .hosts import may_call_host
from .outgoing import Outgoing, outgoing
from .response import Response, headers_of
from .retries import send


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, Any] | None = None,
    query: Mapping[str, Any] | None = None,
    body: Any = None,
    body_type: str = "json",
    timeout: float = OUTBOUND_SECONDS.default,
    follow_redirects: bool = True,
    retries: int = OUTBOUND_RETRIES.default,
    retry_any_method: bool = False,
    allowed_hosts: Sequence[str] | None = None,
    max_bytes: int = OUTBOUND_BYTES.default,
) -> Response:
    """Ask another server. Any status is an answer, 4xx and 5xx too.

    `timeout` is for all of it in seconds, redirects and retries included. `body` is encoded as `body_type` says
    (`bodies.encoded`); `retries` are explained at `retries.send`; `allowed_hosts` (`hosts.may_call_host`) limits where it may
    go, at redirects too. At most 5 redirects are followed and `max_bytes` read, decompressed.

    Problems, which no text of the request is in: `REQUEST_INVALID` 422; `ADDRESS_REFUSED` 422 for what is not on the public
    internet or not allowed; `REQUEST_FAILED` 502 when no whole answer came; `REQUEST_TIMEOUT` 504.
    """
    began = time.monotonic()
    _check(timeout, retries)
    octets, content_type = encoded(body, body_type)
    first = outgoing(method, url, query, headers, octets, content_type)
    with Clock(timeout) as clock:

        def attempt() -> Response:
            if tracing.active is None:
                return _follow(first, clock, began, follow_redirects, allowed_hosts, max_bytes)
            with _traced(tracing.active, first) as (span, sent):
                response = _follow(sent, clock, began, follow_redirects, allowed_hosts, max_bytes)
                status = response.status
                span.tell({"http.response.status_code": status}, failed=status >= 400)
                return response

        return send(first, clock, retries, retry_any_method, attempt)


@contextmanager
def _traced(traces: tracing.Traces, first: Outgoing) -> Iterator[tuple[tracing.Span, Outgoing]]:
    """A span for one try, and the request that says so to the other server, unless it carries a trace of its own."""
    told: tracing.Attributes = {
        "http.request.method": first.method,
        "server.address": first.host,
        "server.port": first.port,
        "url.scheme": first.scheme,
    }
    with traces.span("CLIENT", first.method, told) as span:
        yield span, replace(first, headers={**span.headers(), **first.headers})


def _check(timeout: Any, retries: Any) -> None:
    if (
        isinstance(timeout, bool)
        or not isinstance(timeout, int | float)
        or not 0 < timeout <= OUTBOUND_SECONDS.maximum
    ):
        raise invalid(f'"timeout" is a number of seconds, at most {OUTBOUND_SECONDS.maximum}.')
    if (
        isinstance(retries, bool)
        or not isinstance(retries, int)
        or not 0 <= retries <= OUTBOUND_RETRIES.maximum
    ):
        raise invalid(f'"retries" is a whole number from 0 to {OUTBOUND_RETRIES.maximum}.')


def _follow(
    first: Outgoing,
    clock: Clock,
    began: float,
    follow_redirects: bool,
    allowed_hosts: Sequence[str] | None,
    max_bytes: int,
) -> Response:
    """Send a request and what redirects make of it; each is checked like the first."""
    sent = first
    for _ in range(OUTBOUND_REDIRECTS.default + 1):
        if allowed_hosts is not None and not may_call_host(sent.host, sent.port, allowed_hosts):
            raise _not_allowed(sent.host)
        answer, body = exchange(sent, clock, max_bytes)
        following = (
            sent.redirected(answer.status, answer.headers.get("location")) if follow_redirects else None
        )
        if following is None:
            seconds = time.monotonic() - began
            reason, was_redirected = answer.reason or "", sent is not first
            return Response(
                answer.status, headers_of(answer), body, seconds, sent.url, reason, was_redirected
            )
        sent = following
    raise failed(f'"{sent.host}" redirects more than {OUTBOUND_REDIRECTS.default} times.')


def _not_allowed(host: str) -> Problem:
    return Problem(
        "ADDRESS_REFUSED",
        f'"{host}" is not among the hosts that may be called from here.',
        suggestion="Add it to the hosts of this code (network).",
    )
