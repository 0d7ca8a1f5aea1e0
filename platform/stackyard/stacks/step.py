"""Step: the family of everything that can stand in a line of a function stack. One file a kind, in `steps/`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from stackyard.core import types as t
from stackyard.core.errors import Path
from stackyard.core.kinds import Kind

from .endings import Ending, raised

if TYPE_CHECKING:
    from .check import StackChecker
    from .compiler import StackCompiler
    from .parameter import Parameter


class Line:
    """One line of a document, with defaults filled in. `data` is the canonical JSON it came from."""

    __slots__ = ("as_", "data", "id", "params", "path", "step")

    def __init__(self, data: Mapping[str, Any], path: Path) -> None:
        self.data = data
        self.path = path
        self.id = str(data.get("id", ""))
        self.step = str(data.get("step", ""))
        self.as_: str | None = data.get("as") or None
        self.params: Mapping[str, Any] = data.get("params") or {}

    def at(self, *parts: str | int) -> Path:
        """The path of a parameter of this line."""
        return (*self.path, "params", *parts)


class Step(Kind, family="step"):
    """A step kind.

    `parameters` in form order; `gives_result` says whether `as` may name the result. The plain ones
    only have `result` (the type) and `run(execution, *parameters)`, the deed; the ones that hold
    other lines or steer the flow override `check` and `emit`.
    """

    parameters: ClassVar[Sequence[Parameter]] = ()
    gives_result: ClassVar[bool] = True
    result_name: ClassVar[str] = "result"
    """What editors call the result of a new line."""
    run: ClassVar[Any] = None
    raises: ClassVar[Sequence[str]] = ()
    """Codes of the platform's own problems that the deed can end in, such as NOT_FOUND."""
    catches: ClassVar[str | None] = None
    """The parameter with lines whose problems this step takes."""
    repeats: ClassVar[bool] = False
    """Whether it runs its lines several times."""
    goes_out: ClassVar[bool] = False
    """Whether what it does stays done when a trial is rolled back."""

    @classmethod
    def parameter(cls, name: str) -> Parameter | None:
        """One parameter by name."""
        return next((p for p in cls.parameters if p.name == name), None)

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """Check the parameters; the type of the result."""
        types = {p.name: p.check(checker, line) for p in cls.parameters}
        return cls.result(line, checker, types)

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """The type of the result, given the parameters' types."""
        return t.NULL

    @classmethod
    def endings(cls, line: Line) -> Iterable[Ending]:
        """How this line can end a run or set its status, as far as its document says; for the API's documentation."""
        return [raised(code) for code in cls.raises]

    @classmethod
    def called_function(cls, line: Line) -> str | None:
        """The name of the function whose lines run here, if it is a call."""
        return None

    @classmethod
    def leaves(cls, line: Line) -> str | None:
        """The name of the variable whose value Run & Debug shows once the line has run."""
        return line.as_

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """The statements of a line: call `run` with the parameters, keep the result."""
        arguments = [p.emit(code, line) for p in cls.parameters]
        return code.keep(line, code.call(cls.run, [code.execution(), *arguments]))
