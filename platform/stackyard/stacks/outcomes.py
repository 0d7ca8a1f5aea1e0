"""How a stack can end, read from its document: the statuses it may set, and the problems its lines may raise.

For the API's documentation. Lines that are disabled do not count, what a `try` raises is caught, and the
functions a stack calls are followed. A status or code that an expression decides is not known before the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stackyard.core.errors import Path

from .document import MAX_DEPTH, blocks_of
from .endings import Ending, Raised
from .step import Line, Step
from .values import is_constant

OK = 200
_FAILED = Raised(422, "EXPRESSION_FAILED", "An expression of the stack does not work out with these values.")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """`statuses` a success may have (None: decided when it runs), `raised` in reading order without doubles."""

    statuses: tuple[int | None, ...] = (OK,)
    raised: tuple[Raised, ...] = ()


@dataclass(frozen=True, slots=True)
class _Met:
    """An ending with what surrounds it: `certain` when every run that gets through passes it."""

    ending: Ending
    certain: bool


def outcomes(document: Mapping[str, Any], functions: Mapping[str, Mapping[str, Any]]) -> Outcomes:
    """The outcomes of a stack; `functions` are the published documents it may call, by name."""
    met = list(_Walk(functions).lines(document.get("lines"), ("lines",), certain=True))
    raised = [one.ending for one in met if isinstance(one.ending, Raised)]
    if document.get("lines") or not is_constant(document.get("response")):
        raised.append(_FAILED)
    return Outcomes(_statuses(met), tuple(dict.fromkeys(raised)))


def _statuses(met: list[_Met]) -> tuple[int | None, ...]:
    """A status that is set for certain stands instead of 200 and of everything set before it."""
    statuses: list[int | None] = [OK]
    for one in met:
        if isinstance(one.ending, Raised):
            continue
        if one.certain:
            statuses.clear()
        if one.ending.status not in statuses:
            statuses.append(one.ending.status)
    return tuple(sorted(statuses, key=lambda status: (status is None, status or 0)))


class _Walk:
    """Goes through lines, nested stacks and called functions; each function once."""

    def __init__(self, functions: Mapping[str, Mapping[str, Any]]) -> None:
        self._functions = functions
        self._called: set[str] = set()

    def lines(self, lines: Any, path: Path, *, certain: bool, depth: int = 0) -> Iterator[_Met]:
        """Every ending of a stack in reading order."""
        if not isinstance(lines, list) or depth > MAX_DEPTH:
            return
        for number, data in enumerate(lines):
            kind = Step.all().get(str(data.get("step"))) if isinstance(data, dict) else None
            if kind is None or data.get("disabled"):
                continue
            line = Line(data, (*path, number))
            yield from (_Met(ending, certain) for ending in kind.endings(line))
            yield from self._blocks(kind, line, depth)
            yield from self._called_function(kind, line, depth)

    def _blocks(self, kind: type[Step], line: Line, depth: int) -> Iterator[_Met]:
        for block, path in blocks_of(line.data, line.path):
            caught = kind.catches is not None and path[: len(line.path) + 2] == line.at(kind.catches)
            for met in self.lines(block, path, certain=False, depth=depth + 1):
                if not (caught and isinstance(met.ending, Raised)):
                    yield met

    def _called_function(self, kind: type[Step], line: Line, depth: int) -> Iterator[_Met]:
        name = kind.called_function(line)
        if name is None or name in self._called or name not in self._functions:
            return
        self._called.add(name)
        yield from self.lines(self._functions[name].get("lines"), ("lines",), certain=False, depth=depth + 1)
