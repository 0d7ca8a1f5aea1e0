"""The status of the answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stackyard.core import types as t
from stackyard.core.expressions.operations import failed

from ..check import StackChecker
from ..endings import Ending, StatusSet
from ..execution import Execution
from ..parameters import Value
from ..step import Line, Step


def set_status(execution: Execution, status: Any) -> None:
    """Answer with this HTTP status when the stack ends well."""
    if status.__class__ is not int or not 200 <= status <= 599:
        failed(f"A status is a whole number from 200 to 599, not {status!r}.")
    execution.status = status


class SetStatus(Step):
    """Set the HTTP status of the answer (200 unless set)."""

    name = "set_status"
    label = "Set status"
    group = "utilities"
    icon = "info"
    sentence = "Answer with status {status}"
    synonyms = "http status code created 201"
    gives_result = False
    parameters = (Value("status", "From 200 to 599.", required=True, type=t.INT),)
    run = staticmethod(set_status)
    examples = (
        {"lines": [{"step": "set_status", "params": {"status": 201}}], "response": "null", "is": None},
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """A literal status must lie in its range."""
        status = line.params.get("status")
        if isinstance(status, int) and not 200 <= status <= 599:
            checker.error(line.at("status"), "range", "A status lies between 200 and 599.")
        return super().check(line, checker)

    @classmethod
    def endings(cls, line: Line) -> Iterable[Ending]:
        """The status, where it is a literal."""
        status = line.params.get("status")
        return [StatusSet(status if isinstance(status, int) else None)]
