"""End a Run & Debug here."""

from __future__ import annotations

from typing import Any

from ..execution import DebugStop, Execution
from ..parameters import Value
from ..step import Step


def stop_and_debug(execution: Execution, value: Any) -> None:
    """End the run with a value in Run & Debug; live calls pass over it."""
    if execution.trace is not None and execution.trace.stops:
        raise DebugStop(value)


class StopAndDebug(Step):
    """End a Run & Debug here and show a value. Live calls pass over it."""

    name = "stop_and_debug"
    label = "Stop & debug"
    group = "flow"
    icon = "stop"
    sentence = "Stop and show {value}"
    synonyms = "breakpoint halt inspect"
    gives_result = False
    parameters = (Value("value", "What to show."),)
    run = staticmethod(stop_and_debug)
    examples = ({"lines": [{"step": "stop_and_debug", "params": {"value": 1}}], "response": "2", "is": 2},)
