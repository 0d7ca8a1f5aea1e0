"""Parts of a query in a line: literal trees in which expressions stand as operands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import Path
from stackyard.tables.query import Slot

from .check import StackChecker
from .parameter import Parameter
from .step import Line
from .values import LITERAL, expression_of, is_constant

OPTIONAL = "$optional"


@dataclass(frozen=True)
class QueryPart(Parameter):
    """A part of a query: a literal tree in which expressions stand as values."""

    type: t.Type = t.ANY

    def facts(self) -> dict[str, Any]:
        """The type of a plain part, and the parameter that names the table."""
        return {"type": t.as_value(self.type), "of": "table"}

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """The query is checked as a whole, by its step."""
        return t.ANY


@dataclass(frozen=True)
class FixedPart(QueryPart):
    """A part of a query that is written out: what it names decides what the statement is.

    `choices` are the words its form offers: ways to join, parts of a time, functions.
    """

    choices: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Beside those of a part, the words that can be chosen."""
        return {**super().facts(), **({"choices": list(self.choices)} if self.choices else {})}

    def own_widget(self) -> str:
        """Structure that has no form of its own."""
        return "json"

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """No expressions in it; the rest is checked with the query."""
        if not is_constant(self.value(line)):
            checker.error(line.at(self.name), "constant", f'"{self.name}" cannot hold an expression.')
        return t.ANY


class Slots:
    """Takes the expressions out of a query: each leaves a Slot, and is evaluated when the query runs.

    `type_of` tells the check what kind of value an expression gives; compiling asks nobody.
    """

    def __init__(self, type_of: Callable[[str, Path], t.Type] | None = None) -> None:
        self.found: list[tuple[str, Path]] = []
        self._type_of = type_of

    def take(self, value: Any, path: Path, optional: bool = False) -> Any:
        """The value with a Slot in the place of every expression in it."""
        source = expression_of(value)
        if source is not None:
            self.found.append((source, path))
            type_ = self._type_of(source, path) if self._type_of is not None else None
            return Slot(len(self.found) - 1, optional, type_)
        if isinstance(value, dict):
            if set(value) == {LITERAL}:
                return value[LITERAL]
            optional = optional or value.get(OPTIONAL) is True
            return {
                key: self.take(part, (*path, key), optional) for key, part in value.items() if key != OPTIONAL
            }
        if isinstance(value, list):
            return [self.take(part, (*path, number), optional) for number, part in enumerate(value)]
        return value
