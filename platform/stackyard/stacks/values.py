"""Values in a document: literals, `{"$expr": "…"}`, `{"$literal": …}`, or maps and lists that hold them at any depth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stackyard.core.errors import Path

EXPR = "$expr"
LITERAL = "$literal"


def expression_of(value: Any) -> str | None:
    """The source when a value is `{"$expr": "…"}`."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get(EXPR), str):
        return str(value[EXPR])
    return None


def sources_in(value: Any) -> Iterator[str]:
    """The source of every expression in a value, in order."""
    source = expression_of(value)
    if source is not None:
        yield source
    elif isinstance(value, dict) and set(value) != {LITERAL}:
        for part in value.values():
            yield from sources_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from sources_in(part)


def is_constant(value: Any) -> bool:
    """Whether no expression stands anywhere in a value."""
    if isinstance(value, dict):
        if set(value) == {LITERAL}:
            return True
        return expression_of(value) is None and all(is_constant(part) for part in value.values())
    return not isinstance(value, list) or all(is_constant(part) for part in value)


def constant(value: Any) -> Any:
    """The plain data of a constant value, `$literal` taken off."""
    if isinstance(value, dict):
        if set(value) == {LITERAL}:
            return value[LITERAL]
        return {key: constant(part) for key, part in value.items()}
    return [constant(part) for part in value] if isinstance(value, list) else value


def misspelt_marks(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Places where a map holds a `$expr` or `$literal` that is not one: beside other keys, or not a text."""
    if isinstance(value, dict):
        if set(value) == {LITERAL} or expression_of(value) is not None:
            return
        for mark in (EXPR, LITERAL):
            if mark in value:
                yield path, mark
        for key, part in value.items():
            yield from misspelt_marks(part, (*path, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from misspelt_marks(part, (*path, number))
