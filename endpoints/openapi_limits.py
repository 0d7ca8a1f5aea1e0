"""What the door itself can answer, before and around the stack, under the limits of an endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stackyard.core.limits import CALLS_PER_SECOND, REQUEST_BYTES, RESPONSE_BYTES, STACK_SECONDS
from stackyard.stacks.endings import Raised


@dataclass(frozen=True, slots=True)
class EndpointLimits:
    """What holds for one endpoint (contract §5)."""

    calls_per_second: int = CALLS_PER_SECOND.default
    calls_per_caller: int | None = None
    request_bytes: int = REQUEST_BYTES.default
    response_bytes: int = RESPONSE_BYTES.default
    timeout_seconds: int = STACK_SECONDS.default

    def as_dict(self) -> dict[str, int]:
        """For the document's `x-limits`."""
        of_each = {} if self.calls_per_caller is None else {"calls_per_caller": self.calls_per_caller}
        return {
            "calls_per_second": self.calls_per_second,
            **of_each,
            "request_bytes": self.request_bytes,
            "response_bytes": self.response_bytes,
            "timeout_seconds": self.timeout_seconds,
        }


def platform_problems(
    *, has_inputs: bool, has_body: bool, auth: Sequence[str], limits: EndpointLimits
) -> list[Raised]:
    """What the door itself can answer, before and around the stack."""
    found: list[Raised] = []
    if has_inputs:
        found.append(Raised(400, "INVALID_INPUT", "An input is missing, unknown or of the wrong type."))
    if has_body:
        size = _bytes(limits.request_bytes)
        found += [
            Raised(400, "INVALID_JSON", "The body is not strict JSON."),
            Raised(413, "PAYLOAD_TOO_LARGE", f"The body is larger than {size}."),
            Raised(415, "UNSUPPORTED_MEDIA_TYPE", "The content type is none of those listed."),
        ]
    if any(method != "public" for method in auth):
        found += [
            Raised(401, "UNAUTHORIZED", "No credentials, or wrong ones."),
            Raised(403, "ACCESS_DENIED", "The credentials are right but do not allow this."),
        ]
    return [*found, *_always(limits)]


def _always(limits: EndpointLimits) -> Iterable[Raised]:
    calls = f"More than {limits.calls_per_second:,} calls in a second"
    if limits.calls_per_caller is not None:
        calls += f", or more than {limits.calls_per_caller:,} of one caller (key, user or address)"
    yield Raised(429, "TOO_MANY_REQUESTS", f"{calls}.")
    yield Raised(500, "INTERNAL_ERROR", "Something went wrong here; the request id names it in the log.")
    yield Raised(500, "STACK_OUTDATED", "The stack does not fit its tables any more.")
    yield Raised(500, "RESPONSE_TOO_LARGE", f"The answer is larger than {_bytes(limits.response_bytes)}.")
    yield Raised(503, "BUSY", "Something this call needs is not answering right now.")
    yield Raised(504, "TIMEOUT", f"The call took longer than {limits.timeout_seconds} s.")


def _bytes(count: int) -> str:
    for unit, size in (("MB", 1_000_000), ("kB", 1_000)):
        if count % size == 0:
            return f"{count // size:,} {unit}"
    return f"{count:,} bytes"
