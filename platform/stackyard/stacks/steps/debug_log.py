"""Show a value in Run & Debug."""

from __future__ import annotations

from typing import Any

from ..execution import Execution
from ..parameters import Value
from ..step import Step


def debug_log(execution: Execution, value: Any) -> None:
    """Keep a value for Run & Debug; live calls pass over it."""
    if execution.trace is not None:
        execution.trace.debug(value)


class DebugLog(Step):
    """Show a value in Run & Debug. Live calls pass over it."""

    name = "debug_log"
    label = "Debug log"
    group = "flow"
    icon = "bug"
    sentence = "Log {value}"
    synonyms = "print console trace inspect"
    gives_result = False
    parameters = (Value("value", "What to show."),)
    run = staticmethod(debug_log)
    examples = ({"lines": [{"step": "debug_log", "params": {"value": 1}}], "response": "2", "is": 2},)
