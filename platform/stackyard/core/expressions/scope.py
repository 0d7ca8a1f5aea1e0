"""Names in sight: what each is called in the compiled function and what the check knows of its value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .. import types as t


@dataclass(frozen=True, slots=True)
class Binding:
    """A name in scope. `python` is the generated identifier; `may_be_unset` when only some paths set it; `line` is the id
    of the stack's line that set it last."""

    python: str
    type: t.Type
    may_be_unset: bool = False
    line: str | None = None


class Scope:
    """Names by their innermost meaning. Roots (`input`, `auth`, `now` …) come first, then variables, then loops and lambdas."""

    def __init__(self, bindings: dict[str, Binding] | None = None) -> None:
        self.bindings = bindings if bindings is not None else {}

    def find(self, name: str) -> Binding | None:
        """The binding a name has here."""
        return self.bindings.get(name)

    def names(self) -> list[str]:
        """All names in sight, for hints and pickers."""
        return list(self.bindings)

    def set(self, name: str, binding: Binding) -> None:
        """Bind a name."""
        self.bindings[name] = binding

    def copy(self) -> Scope:
        """A scope that can change on its own."""
        return Scope(dict(self.bindings))

    @contextmanager
    def inner(self, bindings: dict[str, Binding]) -> Iterator[None]:
        """Names that exist only inside; they shadow outer ones and leave them as they were."""
        before = {name: self.bindings.get(name) for name in bindings}
        self.bindings.update(bindings)
        try:
            yield
        finally:
            for name, binding in before.items():
                if binding is None:
                    self.bindings.pop(name, None)
                else:
                    self.bindings[name] = binding
