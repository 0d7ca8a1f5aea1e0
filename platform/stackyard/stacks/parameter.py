"""Parameter: what a step takes, by name. The kinds of it are in `parameters`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stackyard.core import types as t
from stackyard.core.errors import Path

if TYPE_CHECKING:
    from .check import StackChecker
    from .compiler import StackCompiler
    from .step import Line

WIDGETS = (
    "value",
    "long_text",
    "map",
    "list",
    "condition",
    "text",
    "number",
    "choice",
    "yes_no",
    "texts",
    "code",
    "path",
    "table",
    "field",
    "fields",
    "data",
    "where",
    "sort",
    "addons",
    "joins",
    "groups",
    "measures",
    "json",
    "new_name",
    "function",
    "lambda",
    "variables",
    "lines",
    "branches",
)
"""Every control that the console's form has."""


@dataclass(frozen=True)
class Parameter:
    """A parameter by name. `required` ones must be given; `advanced` ones are folded away in the form.

    `title` is what people read where the name in words will not do. `widget` is the control the form shows, where the
    class's own (`shown_as`) will not do: one of `WIDGETS`.
    """

    name: str
    help: str = ""
    required: bool = False
    default: Any = None
    advanced: bool = False
    title: str = ""
    widget: str = ""

    @property
    def label(self) -> str:
        """The title, or the name in words."""
        return self.title or self.name.replace("_", " ").capitalize()

    @property
    def shown_as(self) -> str:
        """The control of the form, one of `WIDGETS`."""
        return self.widget or self.own_widget()

    def own_widget(self) -> str:
        """The control that goes with the class."""
        return "value"

    def facts(self) -> dict[str, Any]:
        """What an editor needs to know beside name, label, help and control; JSON."""
        return {}

    def value(self, line: Line) -> Any:
        """What the line says, or the default."""
        return line.params.get(self.name, self.default)

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """Report what is wrong with the value; its type."""
        raise NotImplementedError(f"{type(self).__name__} is checked by its step")

    def emit(self, code: StackCompiler, line: Line) -> ast.expr:
        """The expression that gives the value at run time."""
        return code.value(self.value(line), line, self.name)

    def schema(self) -> dict[str, Any]:
        """JSON Schema of what may be written here, for editors and the management API."""
        return {"description": self.help} if self.help else {}

    def blocks(self, value: Any, path: Path) -> Iterator[tuple[Any, Path]]:
        """Nested stacks in the value: lists of lines with their paths."""
        return iter(())
