"""How a request to another server can fail on the way. All are Problems that a `try_catch` takes."""

from __future__ import annotations

from ..errors import Problem


class Unreached(Problem):
    """No connection came about, so the other server has seen nothing of the request: 502 `REQUEST_FAILED`."""

    def __init__(self, message: str) -> None:
        super().__init__("REQUEST_FAILED", message)


class Broken(Problem):
    """The connection failed later; the other server may have acted on the request: 502 `REQUEST_FAILED`."""

    def __init__(self, message: str) -> None:
        super().__init__("REQUEST_FAILED", message)


def failed(message: str) -> Problem:
    """502 `REQUEST_FAILED` that trying again would not mend."""
    return Problem("REQUEST_FAILED", message)


def too_late(seconds: float) -> Problem:
    """504 `REQUEST_TIMEOUT`."""
    return Problem("REQUEST_TIMEOUT", f"The other server did not answer within {seconds:g} seconds.")


def invalid(message: str, suggestion: str | None = None) -> Problem:
    """422 `REQUEST_INVALID`: what was asked for is not a request."""
    return Problem("REQUEST_INVALID", message, suggestion=suggestion)
