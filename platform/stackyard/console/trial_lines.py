"""The lines of a trial as a page shows them: with their number, their kind, and the function they belong to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stackyard.stacks.document import blocks_of
from stackyard.stacks.models import Function
from stackyard.stacks.step import Line, Step


def numbers(document: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Each line by id: its number (`3.2`; numbers run on through the branches of a line) and its data."""
    return dict(_numbered(document.get("lines"), ("lines",), ""))


def _numbered(
    lines: Any, path: tuple[str | int, ...], before: str, after: int = 0
) -> Iterator[tuple[str, tuple[str, Mapping[str, Any]]]]:
    for place, line in enumerate(lines if isinstance(lines, list) else []):
        if not isinstance(line, dict):
            continue
        number = f"{before}{after + place + 1}"
        yield str(line.get("id", "")), (number, line)
        inner = 0
        for block, block_path in blocks_of(line, (*path, place)):
            yield from _numbered(block, block_path, f"{number}.", inner)
            inner += len(block) if isinstance(block, list) else 0


class ShownLines:
    """Names the lines of a trace, those of called functions too."""

    def __init__(self, workspace_id: int, document: Mapping[str, Any]) -> None:
        self._workspace_id = workspace_id
        self._known: dict[str, dict[str, tuple[str, Mapping[str, Any]]]] = {"": numbers(document)}
        self._functions: dict[str, str] = {}

    def shown(self, traced: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The lines, each with `number`, `step`, `label`, `function` and `goes_out`. Callers come before what they call."""
        return [self._shown(line) for line in traced]

    def _shown(self, traced: dict[str, Any]) -> dict[str, Any]:
        function = self._functions.get(traced["within"], "")
        number, line = self._lines_of(function).get(traced["line"], ("", {}))
        kind = Step.all().get(str(line.get("step")))
        if kind is not None:
            called = kind.called_function(Line(line, ()))
            if called is not None:
                self._functions[traced["key"]] = called
        return {
            **traced,
            "number": number,
            "step": kind.name if kind is not None else "",
            "label": str(kind.label) if kind is not None else "",
            "function": function,
            "goes_out": kind is not None and kind.goes_out,
            "repeats": kind is not None and kind.repeats,
        }

    def _lines_of(self, function: str) -> dict[str, tuple[str, Mapping[str, Any]]]:
        if function not in self._known:
            found = Function.objects.filter(workspace_id=self._workspace_id, name=function)
            row = found.select_related("published").first()
            self._known[function] = numbers(row.published.document) if row and row.published else {}
        return self._known[function]
