"""A manuscript: a document as the text people type, with everything wrong in it at its line and column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from stackyard.core.errors import Fault, Faults
from stackyard.core.yaml import InvalidYaml, Loaded, Position, load
from stackyard.stacks.spelling import from_spelling, spelled_path

from .owners import StackOwner
from .problems import capital

# What stands before the expression itself where its value begins: `!expr 'x'`, `!expr x`, `{$expr: "x"}`.
_BEFORE_EXPRESSION = re.compile(r"""(?:!expr\s+|\{\s*["']?\$expr["']?\s*:\s*)(?P<quote>['"]?)""")


@dataclass(frozen=True, slots=True)
class Mark:
    """One fault or warning in a text. Line and column count from 1."""

    line: int
    column: int
    level: str
    message: str
    suggestion: str | None = None


@dataclass(slots=True)
class Manuscript:
    """A text, the document it says (None when it says none), and the marks in reading order."""

    text: str
    document: dict[str, Any] | None = None
    marks: list[Mark] = field(default_factory=list)

    @property
    def errors(self) -> list[Mark]:
        """The marks that stand in the way of publishing."""
        return [mark for mark in self.marks if mark.level == "error"]

    def numbered(self) -> list[tuple[int, str, str]]:
        """The text as lines: number, text, and the worst level of the marks on it (or nothing)."""
        levels: dict[int, str] = {}
        for mark in self.marks:
            if levels.get(mark.line) != "error":
                levels[mark.line] = mark.level
        lines = self.text.splitlines() or [""]
        return [(number, line, levels.get(number, "")) for number, line in enumerate(lines, start=1)]


def read(owner: StackOwner, text: str) -> Manuscript:
    """Read and check a text as an owner's. `document` is None only when the text says no document at all."""
    text = text.replace("\r\n", "\n")
    try:
        loaded = load(text)
    except InvalidYaml as problem:
        marks = [Mark(f.line, f.column, "error", capital(f.message)) for f in problem.faults]
        return Manuscript(text, None, marks)
    faults = Faults()
    document = from_spelling(loaded.data, faults)
    marks = [_mark(text, loaded, fault, fault.path) for fault in faults.found]
    if faults.errors:
        # Lines that are none are not in the document: saving it would lose what was typed there.
        return Manuscript(text, None, _in_order(marks))
    for fault in owner.check(document):
        marks.append(_mark(text, loaded, fault, spelled_path(document, fault.path)))
    return Manuscript(text, document, _in_order(marks))


def _in_order(marks: Iterable[Mark]) -> list[Mark]:
    return sorted(marks, key=lambda mark: (mark.line, mark.column, mark.level))


def _mark(text: str, loaded: Loaded, fault: Fault, path: tuple[str | int, ...]) -> Mark:
    line, column = loaded.position(path) or (1, 1)
    if fault.column is not None:
        line, column = _inside_expression(text, loaded.value_position(path) or (line, column), fault.column)
    return Mark(line, column, fault.level, capital(fault.message), fault.suggestion)


def _inside_expression(text: str, value: Position, column: int) -> Position:
    """Where column `column` (from 1) of the expression stands, when the value that begins at `value` is written on one line."""
    lines = text.split("\n")
    line, start = value
    if line > len(lines):
        return value
    found = _BEFORE_EXPRESSION.match(lines[line - 1], start - 1)
    if found is None or lines[line - 1][found.end() : found.end() + 1] in {"", "|", ">"}:
        return value
    at = found.end()
    for _ in range(column - 1):
        # In single quotes a quote is written twice, in double quotes behind a backslash.
        pair = lines[line - 1][at : at + 2]
        at += (
            2
            if (found["quote"] == "'" and pair == "''") or (found["quote"] == '"' and pair[:1] == "\\")
            else 1
        )
    return line, min(at, len(lines[line - 1])) + 1
