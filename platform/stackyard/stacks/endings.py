"""What a line can do to the end of a run: raise a problem, or set the status. Steps tell it in `endings`."""

from __future__ import annotations

from dataclasses import dataclass

from stackyard.core.errors import STATUS_OF_CODE


@dataclass(frozen=True, slots=True)
class Raised:
    """A problem that can happen. `status` and `code` are None where an expression decides them."""

    status: int | None
    code: str | None
    message: str = ""
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class StatusSet:
    """The status of a success; None where an expression decides it."""

    status: int | None


Ending = Raised | StatusSet


def raised(code: str, message: str = "") -> Raised:
    """One of the platform's own problems, with the status that goes with its code."""
    return Raised(STATUS_OF_CODE[code], code, message)
