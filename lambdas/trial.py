"""Run a document of a lambda here and now, and show what came of it: the console's Run, and the management API's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from stackyard.core.errors import Faults
from stackyard.core.principal import Principal
from stackyard.core.secrets import MASK

from .document import with_defaults
from .models import Lambda
from .publishing import bring_packages, check
from .running import environment_of, run_now
from .supervisor import Finished


def try_lambda(
    target: Lambda, document: Mapping[str, Any], input: Any, principal: Principal, run_id: str | None = None
) -> Finished:
    """Run a draft for real: what it changes stays. Secrets it gives back or fails with are masked.

    Problem `INVALID_INPUT` with every fault of the document, `BUSY` when no process is free.
    """
    full = with_defaults(document)
    faults = [fault for fault in check(target, full).faults if fault.code != "syntax"]
    # A syntax fault is an answer of its own, with the place in the code.
    Faults(faults).raise_errors()
    bring_packages(full["code"])
    run = {"id": run_id, "attempt": 1, "trigger": "console"}
    finished = run_now(target, input, document=full, principal=principal, run=run)
    _, secrets = environment_of(target.workspace_id, full["variables"])
    return _masked(finished, secrets) if secrets else finished


def _masked(finished: Finished, secrets: list[str]) -> Finished:
    error = finished.error
    if error is not None:
        error = replace(error, **{name: mask(value, secrets) for name, value in asdict(error).items()})
    return replace(finished, value=mask(finished.value, secrets), error=error)


def mask(value: Any, secrets: list[str]) -> Any:
    """A JSON value with the mask in place of these texts, wherever they stand in it."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, list):
        return [mask(part, secrets) for part in value]
    if isinstance(value, dict):
        return {mask(key, secrets): mask(part, secrets) for key, part in value.items()}
    return value
