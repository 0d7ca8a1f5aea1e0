"""Problems: the one error a person sees, and the faults a check finds.

A `Problem` says what happened (`code`, `message`), what to do (`suggestion`) and where (`details`,
`place`). Every door turns it into the shape of the contract with `problem_body`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

# The status that goes with each of the platform's own codes; a stack may raise any other code.
STATUS_OF_CODE: Mapping[str, int] = {
    "INVALID_JSON": 400,
    "INVALID_INPUT": 400,
    "UNAUTHORIZED": 401,
    "ACCESS_DENIED": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "CONFLICT": 409,
    "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "TOO_MANY_REQUESTS": 429,
    "INTERNAL_ERROR": 500,
    "LAMBDA_FAILED": 500,
    "RESPONSE_TOO_LARGE": 500,
    "BUSY": 503,
    "TIMEOUT": 504,
    "ADDRESS_REFUSED": 422,
    "REQUEST_INVALID": 422,
    "REQUEST_FAILED": 502,
    "REQUEST_TIMEOUT": 504,
    "FILE_REFUSED": 422,
    "STORAGE_FULL": 507,
    "RANGE_NOT_SATISFIABLE": 416,
    "MAIL_INVALID": 422,
    "MAIL_FAILED": 502,
    "TEMPLATE_INVALID": 422,
    "CACHE_INVALID": 422,
    "CACHE_UNAVAILABLE": 503,
}

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Detail:
    """One of several places to mend: `field` is a dotted path such as `items.2.price`."""

    field: str
    code: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """The JSON of one entry of `error.details`."""
        return {"field": self.field, "code": self.code, "message": self.message}


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a function stack something happened: line id, parameter path, column (1-based) in an expression."""

    line: str
    path: str = ""
    column: int | None = None


class Problem(Exception):
    """An error for people. `status` is the HTTP status; `place` is set by the stack runner.

    `headers` are sent with the answer (`WWW-Authenticate`, `Allow`, `Retry-After` …).
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        suggestion: str | None = None,
        details: Sequence[Detail] | Any = (),
        headers: Mapping[str, str] | None = None,
        place: Place | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status if status is not None else STATUS_OF_CODE.get(code, 400)
        self.suggestion = suggestion
        self.details = details
        self.headers = dict(headers or {})
        self.place = place

    def __repr__(self) -> str:
        return f"Problem({self.code!r}, {self.message!r}, status={self.status})"


def problem_body(problem: Problem, request_id: str) -> dict[str, Any]:
    """The contract's error shape: `{"error": {"code", "message", "suggestion"?, "request_id", "details"?}}`."""
    error: dict[str, Any] = {"code": problem.code, "message": problem.message}
    if problem.suggestion:
        error["suggestion"] = problem.suggestion
    error["request_id"] = request_id
    if problem.details:
        details = problem.details
        if isinstance(details, Sequence) and not isinstance(details, str | bytes):
            details = [d.as_dict() if isinstance(d, Detail) else d for d in details]
        error["details"] = details
    return {"error": error}


def invalid_input(details: Sequence[Detail], message: str | None = None) -> Problem:
    """400 `INVALID_INPUT` with every fault in `details`; the message names the first and counts the rest."""
    if message is None:
        first = details[0]
        more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
        message = f"{first.field}: {first.message}{more}" if first.field else f"{first.message}{more}"
    return Problem("INVALID_INPUT", message, details=details)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to a misspelt one (difflib ratio ≥ 0.6), or None."""
    matches = difflib.get_close_matches(name, list(known), n=1)
    return matches[0] if matches else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean "x"?` with a leading blank, or a list of what there is, or nothing."""
    names = list(known)
    match = nearest(name, names)
    if match is not None:
        return f' Did you mean "{match}"?'
    if 0 < len(names) <= 12:
        return f" There is: {', '.join(sorted(names))}."
    return ""


@dataclass(frozen=True, slots=True)
class Fault:
    """What a check found in a document. `path` leads through the canonical JSON; `column` is 1-based in an expression.

    `line`, with `column`, is a 1-based place in a text of several lines: the code of a lambda. `level` is `error` (blocks publishing) or `warning` (never blocks).
    """

    path: Path
    code: str
    message: str
    suggestion: str | None = None
    line_id: str | None = None
    column: int | None = None
    level: str = "error"
    line: int | None = None

    @property
    def dotted(self) -> str:
        """The path as text: `lines.2.params.where.id`."""
        return ".".join(str(part) for part in self.path)

    def under(self, *prefix: str | int) -> Fault:
        """The same fault seen from a document that holds this one at `prefix`."""
        return replace(self, path=(*prefix, *self.path))

    def as_dict(self) -> dict[str, Any]:
        """JSON for the console and the management API."""
        return {
            "path": list(self.path),
            "code": self.code,
            "message": self.message,
            "suggestion": self.suggestion,
            "line_id": self.line_id,
            "line": self.line,
            "column": self.column,
            "level": self.level,
        }


@dataclass(slots=True)
class Faults:
    """A list of faults under construction, so that a check reports all of them at once."""

    found: list[Fault] = field(default_factory=list)

    def error(self, path: Path, code: str, message: str, **more: Any) -> None:
        """Add a fault that blocks."""
        self.found.append(Fault(path, code, message, **more))

    def warning(self, path: Path, code: str, message: str, **more: Any) -> None:
        """Add a fault that does not block."""
        self.found.append(Fault(path, code, message, level="warning", **more))

    @property
    def errors(self) -> list[Fault]:
        """Only those that block."""
        return [fault for fault in self.found if fault.level == "error"]

    def raise_errors(self) -> None:
        """Raise one 400 Problem with a detail per blocking fault, if there is any."""
        errors = self.errors
        if errors:
            raise invalid_input([Detail(f.dotted, f.code, f.message) for f in errors])
