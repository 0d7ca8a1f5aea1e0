"""Trace: what Run & Debug shows of a run, line by line."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from stackyard.core.jsonout import encode, measure
from stackyard.core.secrets import MASK

PREVIEW_BYTES = 32_768
MAX_QUERIES = 200


@dataclass(slots=True)
class LineTrace:
    """One line: how often it was entered, its total time, the last value, the queries it made (text, seconds, rows)."""

    line: str
    entered: int = 0
    seconds: float = 0.0
    has_value: bool = False
    value: Any = None
    failed: bool = False
    queries: list[tuple[str, float, int]] = field(default_factory=list)
    debug: list[Any] = field(default_factory=list)


class Trace:
    """Collects lines as they run. `secrets` are texts that must never be shown."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.lines: dict[str, LineTrace] = {}
        self.secrets = [secret for secret in secrets if secret]
        self._open: list[tuple[LineTrace, tuple[int, int], float]] = []

    def enter(self, line_id: str, depth: int, call_depth: int) -> None:
        """A line begins; whatever was left open at its depth (by break, return or a failure) ends here."""
        self._close((call_depth, depth))
        line = self.lines.setdefault(f"{call_depth}:{line_id}" if call_depth else line_id, LineTrace(line_id))
        line.entered += 1
        self._open.append((line, (call_depth, depth), time.perf_counter()))

    def leave(self, line_id: str, depth: int, call_depth: int, value: Any) -> None:
        """A line has ended with a value."""
        if self._open and self._open[-1][1] >= (call_depth, depth):
            line = next(
                (o[0] for o in reversed(self._open) if o[1] == (call_depth, depth)), self._open[-1][0]
            )
            line.has_value, line.value = True, value
        self._close((call_depth, depth))

    def _close(self, depth: tuple[int, int]) -> None:
        now = time.perf_counter()
        while self._open and self._open[-1][1] >= depth:
            line, _, began = self._open.pop()
            line.seconds += now - began

    def query(self, sql: str, seconds: float, rows: int) -> None:
        """The store ran a statement for the line at hand and got `rows` back."""
        if self._open and len(self._open[-1][0].queries) < MAX_QUERIES:
            self._open[-1][0].queries.append((sql, seconds, rows))

    def debug(self, value: Any) -> None:
        """`debug_log`."""
        if self._open:
            self._open[-1][0].debug.append(value)

    def finish(self, failed: bool) -> None:
        """The run is over."""
        if failed:
            for line, _, _ in self._open:
                line.failed = True
        self._close((0, 0))

    def as_value(self) -> list[dict[str, Any]]:
        """JSON for the console and the management API, in the order lines were first entered; secrets masked."""
        return [self._line(line) for line in self.lines.values()]

    def _line(self, line: LineTrace) -> dict[str, Any]:
        made: dict[str, Any] = {
            "line": line.line,
            "entered": line.entered,
            "milliseconds": round(line.seconds * 1000, 3),
            "failed": line.failed,
        }
        if line.has_value:
            made["value"] = self.preview(line.value)
        if line.queries:
            made["queries"] = [
                {"sql": sql, "milliseconds": round(seconds * 1000, 3), "rows": rows}
                for sql, seconds, rows in line.queries
            ]
        if line.debug:
            made["debug"] = [self.preview(value) for value in line.debug]
        return made

    def preview(self, value: Any) -> str:
        """A value as JSON text, at most 32 KB of it."""
        if measure(value) > 50 * PREVIEW_BYTES:
            return f"({measure(value):,} bytes; too large to show)"
        text = encode(value).decode()
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        return text if len(text) <= PREVIEW_BYTES else text[:PREVIEW_BYTES] + "…"
