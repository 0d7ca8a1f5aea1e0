"""Run a document of a lambda here and now, and show what came of it: the console's Run, and the management API's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from stackyard.core.data_source import LIVE
from stackyard.core.errors import Faults
from stackyard.core.masking import masker_of
from stackyard.core.principal import Principal

from .document import with_defaults
from .models import Lambda
from .publishing import bring_packages, check
from .running import run_now
from .supervisor import Finished


def try_lambda(
    target: Lambda,
    document: Mapping[str, Any],
    input: Any,
    principal: Principal,
    run_id: str | None = None,
    *,
    is_cancelled: Callable[[], bool] | None = None,
    on_log: Callable[[str], None] | None = None,
    data_source: str = LIVE,
) -> Finished:
    """Run a draft for real: what it changes stays. Secrets in what it gives back are masked.

    `on_log` hears what it writes while it runs; `is_cancelled` is asked four times a second.

    Problem `INVALID_INPUT` with every fault of the document, `BUSY` when no process is free.
    """
    full = with_defaults(document)
    faults = [fault for fault in check(target, full).faults if fault.code != "syntax"]
    # A syntax fault is an answer of its own, with the place in the code.
    Faults(faults).raise_errors()
    bring_packages(full["code"])
    run = {"id": run_id, "attempt": 1, "trigger": "console"}
    finished = run_now(
        target,
        input,
        document=full,
        principal=principal,
        run=run,
        is_cancelled=is_cancelled,
        on_log=on_log,
        data_source=data_source,
    )
    return replace(finished, value=masker_of(target.workspace_id).hide_in(finished.value))
