"""How a stack raises an error of its own: precondition and throw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from stackyard.core.errors import Problem
from stackyard.core.expressions.operations import failed, kind_of, text_of

from .step import Line

if TYPE_CHECKING:
    from .check import StackChecker

LOWEST_STATUS, HIGHEST_STATUS = 400, 599


def raise_problem(status: Any, code: Any, message: Any, suggestion: Any, details: Any = None) -> NoReturn:
    """Raise the Problem that a line asks for."""
    if status.__class__ is not int or not LOWEST_STATUS <= status <= HIGHEST_STATUS:
        failed(f"The status of an error is a whole number from 400 to 599, not {kind_of(status)}.")
    problem = Problem(
        text_of(code) or "ERROR",
        text_of(message),
        status=status,
        suggestion=text_of(suggestion) or None,
        details=details if details is not None else (),
    )
    raise problem


def check_status(checker: StackChecker, line: Line) -> None:
    """A literal status must be one of an error."""
    status = line.params.get("status")
    if isinstance(status, int) and not LOWEST_STATUS <= status <= HIGHEST_STATUS:
        checker.error(line.at("status"), "range", "The status of an error is a number from 400 to 599.")


def check_code(checker: StackChecker, line: Line) -> None:
    """A literal code must not be empty."""
    if line.params.get("code") == "":
        checker.error(line.at("code"), "required", "An error needs a code, such as CUSTOMER_NOT_FOUND.")
