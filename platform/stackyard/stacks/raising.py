"""How a stack raises an error of its own: precondition and throw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from stackyard.core.errors import Problem
from stackyard.core.expressions import ExpressionError, Tree, parse
from stackyard.core.expressions.operations import failed, kind_of, text_of
from stackyard.core.expressions.tree import Binary, Literal

from .endings import Raised
from .step import Line
from .values import expression_of

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


def raised_by(params: Mapping[str, Any]) -> Raised:
    """The error of a line as its document tells it, for the API's documentation."""
    status, code = params.get("status"), params.get("code")
    return Raised(
        status if isinstance(status, int) else None,
        code if isinstance(code, str) else None,
        outline(params.get("message")),
        outline(params.get("suggestion")),
    )


def outline(value: Any) -> str:
    """A text with what only the run knows left open: `"No customer " ~ input.id` is `No customer …`."""
    source = expression_of(value)
    if source is None:
        return value if isinstance(value, str) else ""
    try:
        return _outline(parse(source))
    except ExpressionError:
        return ""


def _outline(tree: Tree) -> str:
    match tree:
        case Literal(value=str() as text):
            return text
        case Binary(operator="~"):
            return f"{_outline(tree.left)}{_outline(tree.right)}"
    return "…"
