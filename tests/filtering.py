"""Piping values through filters in tests, the way stacks do: through an expression."""

from __future__ import annotations

from typing import Any

import pytest

from stackyard.core.errors import Problem
from stackyard.core.expressions import evaluate_text


def piped(source: str, **names: Any) -> Any:
    """The value of an expression with names in scope."""
    return evaluate_text(source, names)


def refused(source: str, **names: Any) -> Problem:
    """The Problem an expression ends with; it is the author's (422), never a crash."""
    with pytest.raises(Problem) as caught:
        evaluate_text(source, names)
    assert caught.value.status == 422
    return caught.value
