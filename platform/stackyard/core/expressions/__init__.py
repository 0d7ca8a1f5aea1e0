"""The expression language: `parse` a text, `render` a tree, check it, compile it (language.md, Expressions)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .compiler import evaluate
from .parser import parse
from .render import render
from .tree import ExpressionError, Tree

__all__ = ["ExpressionError", "Tree", "evaluate", "evaluate_text", "parse", "render"]


def evaluate_text(source: str, names: Mapping[str, Any] | None = None) -> Any:
    """The value of an expression with `names` in scope. ExpressionError, or a Problem when it cannot be computed."""
    return evaluate(parse(source), names or {})
