"""When a request is sent again, and how long it waits before. The loop is tenacity's."""

from __future__ import annotations

import time
from collections.abc import Callable

from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_exponential, wait_random
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from .clock import Clock
from .faults import Broken, Unreached
from .outgoing import Outgoing
from .response import Response

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_STATUSES = frozenset({429, 502, 503, 504})
_backoff = wait_exponential(multiplier=0.5, max=30) + wait_random(0, 0.5)


def send(
    outgoing: Outgoing, clock: Clock, retries: int, any_method: bool, attempt: Callable[[], Response]
) -> Response:
    """The answer to a request that is tried up to `1 + retries` times, all within the clock.

    Sent again: when no connection came about; and, where doing it twice is as good as once (an idempotent method,
    RFC 9110 §9.2.2; a request with an `Idempotency-Key`; `any_method`), when the connection broke or the answer is 429,
    502, 503 or 504. Before that it waits half a second, doubling, with up to half a second at random, or as long as
    the answer's `Retry-After` says. When the wait would outlast the clock, the last outcome stands.
    """
    repeatable = any_method or outgoing.method in _IDEMPOTENT or "idempotency-key" in outgoing.headers

    def wanted(state: RetryCallState) -> bool:
        assert state.outcome is not None
        error = state.outcome.exception()
        if error is not None:
            return isinstance(error, Unreached) or (repeatable and isinstance(error, Broken))
        return repeatable and state.outcome.result().status in _STATUSES

    def over(state: RetryCallState) -> bool:
        return clock.remains() <= state.upcoming_sleep

    return Retrying(
        retry=wanted,
        stop=lambda state: stop_after_attempt(retries + 1)(state) or over(state),
        wait=_wait,
        sleep=lambda seconds: pause(seconds),
        retry_error_callback=_last,
    )(attempt)


def pause(seconds: float) -> None:
    """Wait before the next try."""
    time.sleep(seconds)


def _wait(state: RetryCallState) -> float:
    asked = _retry_after(state)
    return _backoff(state) if asked is None else asked


def _retry_after(state: RetryCallState) -> float | None:
    """Seconds that the answer asks to wait (RFC 9110 §10.2.3: seconds or a date), or None."""
    if state.outcome is None or state.outcome.failed:
        return None
    header = state.outcome.result().headers.get("retry-after")
    try:
        return Retry().parse_retry_after(header) if isinstance(header, str) else None
    except InvalidHeader:
        return None


def _last(state: RetryCallState) -> Response:
    """The last outcome: its answer, or its Problem raised."""
    assert state.outcome is not None
    response: Response = state.outcome.result()
    return response
