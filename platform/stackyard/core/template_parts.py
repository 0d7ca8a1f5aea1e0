"""The parts a template is made of, and how each writes itself."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from . import types as t
from .errors import Problem, did_you_mean
from .expressions import Tree
from .expressions import operations as op
from .expressions.compiler import function_of
from .expressions.scope import Binding, Scope
from .filter import Budget
from .jsonout import measure


class OpenScope(Scope):
    """Takes every name that is asked for: what a template may name is known only when it is given its data."""

    def find(self, name: str) -> Binding:
        """The binding of a name; one of any type for a name that is new."""
        binding = super().find(name)
        if binding is None:
            binding = Binding(f"v{len(self.bindings)}_{name}", t.ANY)
            self.set(name, binding)
        return binding


@dataclass(slots=True)
class Writing:
    """One rendering: the names in sight, what it may still use, what it has written, and whether texts are escaped."""

    names: dict[str, Any]
    escapes: bool
    budget: Budget = field(default_factory=Budget)
    pieces: list[str] = field(default_factory=list)

    def write(self, text: str) -> None:
        """Add to what is written. Problem `BUDGET_EXCEEDED` past 10 MB in all."""
        self.budget.room(len(text))
        self.pieces.append(text)

    def run(self, parts: Sequence[Part]) -> None:
        """Write parts one after the other."""
        for part in parts:
            part.write(self)


class Value:
    """An expression of a template, compiled."""

    __slots__ = ("_function", "_line", "_names")

    def __init__(self, tree: Tree, line: int) -> None:
        scope = OpenScope()
        self._function: Callable[..., Any] = function_of(tree, scope)
        self._names = tuple(scope.bindings)
        self._line = line

    def of(self, writing: Writing) -> Any:
        """The value now. Any Problem says the template's line."""
        try:
            return self._function(writing.budget, *[self._named(name, writing) for name in self._names])
        except Problem as problem:
            self.fail(problem)

    def is_true(self, writing: Writing) -> bool:
        """The value, which must be true or false."""
        try:
            return op.truth(self.of(writing))
        except Problem as problem:
            self.fail(problem)

    def fail(self, problem: Problem) -> NoReturn:
        """Raise a problem once more, with the line in its message."""
        if problem.message.startswith("Line "):
            raise problem
        raise Problem(
            problem.code,
            f"Line {self._line} of the template: {problem.message}",
            status=problem.status,
            suggestion=problem.suggestion,
        ) from None

    def _named(self, name: str, writing: Writing) -> Any:
        if name in writing.names:
            return writing.names[name]
        hint = did_you_mean(name, writing.names)
        raise Problem("TEMPLATE_INVALID", f'There is no "{name}" in the data.{hint}')


@dataclass(frozen=True, slots=True)
class Text:
    """Text as it stands."""

    text: str

    def write(self, writing: Writing) -> None:
        """Write it."""
        writing.write(self.text)


@dataclass(frozen=True, slots=True)
class Output:
    """`{{ value }}`; `is_raw` with `| raw` at its end."""

    value: Value
    is_raw: bool

    def write(self, writing: Writing) -> None:
        """Write the value as `~` joins it, escaped where the template is HTML."""
        value = self.value.of(writing)
        if isinstance(value, list | dict):
            # Shared parts make a value larger as text than it is in memory; this counts before it is written.
            self._room(measure(value), writing)
        text = op.text_of(value)
        self._room(len(text), writing)
        escapes = writing.escapes and not self.is_raw
        writing.pieces.append(html.escape(text) if escapes else text)

    def _room(self, size: int, writing: Writing) -> None:
        try:
            writing.budget.room(size)
        except Problem as problem:
            self.value.fail(problem)


@dataclass(frozen=True, slots=True)
class If:
    """`{% if %} … {% elif %} … {% else %} … {% endif %}`; the last branch has no condition when it is an else."""

    branches: tuple[tuple[Value | None, tuple[Part, ...]], ...]

    def write(self, writing: Writing) -> None:
        """Write the first branch whose condition is true."""
        for condition, parts in self.branches:
            if condition is None or condition.is_true(writing):
                writing.run(parts)
                return


@dataclass(frozen=True, slots=True)
class For:
    """`{% for name in list %} … {% else %} … {% endfor %}`; inside, `index` counts from 0."""

    name: str
    value: Value
    parts: tuple[Part, ...]
    otherwise: tuple[Part, ...]

    def write(self, writing: Writing) -> None:
        """Write the parts once for each element, or the others when there is none (null is like an empty list)."""
        elements = self._elements(writing)
        if not elements:
            writing.run(self.otherwise)
            return
        outer = {name: writing.names[name] for name in (self.name, "index") if name in writing.names}
        for index, element in enumerate(elements):
            writing.budget.spend(1)
            writing.names[self.name], writing.names["index"] = element, index
            writing.run(self.parts)
        for name in (self.name, "index"):
            del writing.names[name]
        writing.names.update(outer)

    def _elements(self, writing: Writing) -> list[Any]:
        elements = self.value.of(writing)
        if elements is None:
            return []
        if not isinstance(elements, list):
            message = f"A loop goes through a list, not {op.kind_of(elements)}."
            hint = "Take the entries of an object: object | entries." if isinstance(elements, dict) else None
            self.value.fail(Problem("EXPRESSION_FAILED", message, status=422, suggestion=hint))
        return elements


@dataclass(frozen=True, slots=True)
class Set:
    """`{% set name = value %}`, until the template's end."""

    name: str
    value: Value

    def write(self, writing: Writing) -> None:
        """Keep the value under the name; it takes room like what is written."""
        value = self.value.of(writing)
        try:
            writing.budget.room(measure(value))
        except Problem as problem:
            self.value.fail(problem)
        writing.names[self.name] = value


Part = Text | Output | If | For | Set
