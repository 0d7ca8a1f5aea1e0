"""What a deed is refused with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stackyard.core.errors import Problem


def problem(deed: Callable[[], Any]) -> Problem:
    """The Problem that a deed raises."""
    with pytest.raises(Problem) as caught:
        deed()
    return caught.value


def faults(deed: Callable[[], Any]) -> list[tuple[str, str]]:
    """(field, code) of every fault of the one INVALID_INPUT that a deed raises."""
    found = problem(deed)
    assert (found.code, found.status) == ("INVALID_INPUT", 400)
    return [(detail.field, detail.code) for detail in found.details]
