"""Trace: what Run & Debug shows of a run, line by line and round by round.

A line is recorded each time it is entered: where in its loops, when, for how long, which way it took, what it left.
What it left is written down as JSON at that moment, as long as there is room. Past `KEPT_ENTRIES` of a line only
its count, its time and its last value go on: a loop of a million turns must not fill the memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from stackyard.core.errors import Problem
from stackyard.core.jsonout import encode
from stackyard.core.masking import Masker
from stackyard.core.secrets import MASK

from .execution import DebugStop

PREVIEW_BYTES = 32_768
KEPT_ENTRIES = 500
MAX_QUERIES = 200
MAX_LOGS = 200
_VALUE_BYTES = 20_000_000
"""Room for the values of all lines together."""
_ENTRIES = 20_000
_LEVELS = 1_000
"""More than lines can nest: a called function's first level lies below its caller's last."""


@dataclass(slots=True)
class Entry:
    """One time that a line ran: its round in each loop around it (from 1), when and how long (seconds).

    `way` is the block it took (`then`, `else_if.0.then`, `catch` …), `turns` how often its loop went round.
    """

    rounds: tuple[int, ...]
    began: float
    seconds: float = 0.0
    way: str = ""
    turns: int = 0
    value: bytes | None = None
    failed: bool = False


@dataclass(slots=True)
class LineTrace:
    """One line, in total. `within` is the key of the line that called its function, empty in the stack itself."""

    line: str
    key: str
    within: str
    began: float
    entered: int = 0
    seconds: float = 0.0
    has_value: bool = False
    last: Any = None
    failed: bool = False
    entries: list[Entry] = field(default_factory=list)
    queries: list[tuple[str, float, int]] = field(default_factory=list)
    logs: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """A line that is running. `rounds` counts the turns of its own block; `repeats` says that it is a loop."""

    line: LineTrace
    level: int
    began: float
    entry: Entry | None
    rounds: int = 0
    repeats: bool = False
    way: str = ""


class Trace:
    """Collects lines as they run. `secrets` are texts that must never be shown.

    `stops` says whether `stop_and_debug` ends the run: not where live calls are traced. `stop` is the id of a line to end the run at: before it, or after it when `stop_after`.
    """

    def __init__(
        self, secrets: Iterable[str] = (), stop: str | None = None, stop_after: bool = False
    ) -> None:
        self.lines: dict[str, LineTrace] = {}
        self.secrets = [secret for secret in secrets if secret]
        self.stops = True
        self.stop_before = None if stop_after else stop
        self.stop_after = stop if stop_after else None
        self.stopped_at: str | None = None
        self._masker: Masker | None = None
        self._short: list[str] = []
        self._open: list[_Open] = []
        self._started = time.perf_counter()
        self._room = _VALUE_BYTES
        self._entries_left = _ENTRIES

    # What compiled code says

    def enter(self, line_id: str, depth: int, call_depth: int) -> None:
        """A line begins; whatever was left open at its depth (by break, return or a failure) ends here."""
        level = call_depth * _LEVELS + depth
        within = self._settle(level, call_depth)
        if line_id == self.stop_before and not call_depth:
            self.stopped_at = line_id
            raise DebugStop(None)
        key = f"{within}/{line_id}" if within else line_id
        now = time.perf_counter()
        line = self.lines.get(key)
        if line is None:
            line = self.lines[key] = LineTrace(line_id, key, within, now - self._started)
        line.entered += 1
        entry = None
        if line.entered <= KEPT_ENTRIES and self._entries_left > 0:
            self._entries_left -= 1
            rounds = tuple(outer.rounds for outer in self._open if outer.repeats)
            entry = Entry(rounds, now - self._started)
            line.entries.append(entry)
        self._open.append(_Open(line, level, now, entry))

    def _settle(self, level: int, call_depth: int) -> str:
        """End what is over; the key of the calling line."""
        opened = self._open
        if opened and opened[-1].level >= level:
            self._close(level)
        if not call_depth or not opened:
            return ""
        top = opened[-1]
        return top.line.key if top.level < call_depth * _LEVELS else top.line.within

    def enter_block(self, depth: int, call_depth: int, way: str, repeats: bool) -> None:
        """The line at this depth runs a block of its own: a branch by its name, or once more round a loop."""
        level = call_depth * _LEVELS + depth
        if self._open and self._open[-1].level > level:
            if way == "catch":
                self._fail(level + 1)
            self._close(level + 1)
        if self._open and self._open[-1].level == level:
            top = self._open[-1]
            top.rounds += 1
            top.repeats = repeats
            if not repeats and way != "finally":
                top.way = way

    def leave(self, line_id: str, depth: int, call_depth: int, has_value: bool, value: Any) -> None:
        """A line has ended, with the value it names if it names one."""
        level = call_depth * _LEVELS + depth
        if self._open and self._open[-1].level > level:
            self._close(level + 1)
        if self._open and self._open[-1].level == level:
            done, now = self._open.pop(), time.perf_counter()
            self._end(done, now)
            if has_value:
                done.line.has_value, done.line.last = True, value
                if done.entry is not None:
                    done.entry.value = self._written(value)
        if line_id == self.stop_after and not call_depth:
            self.stopped_at = line_id
            raise DebugStop(value)

    def _close(self, level: int) -> None:
        now = time.perf_counter()
        while self._open and self._open[-1].level >= level:
            self._end(self._open.pop(), now)

    @staticmethod
    def _end(done: _Open, now: float) -> None:
        seconds = now - done.began
        done.line.seconds += seconds
        if done.entry is not None:
            done.entry.seconds = seconds
            done.entry.way = done.way
            done.entry.turns = done.rounds if done.repeats else 0

    # What the store and the steps say

    def query(self, sql: str, seconds: float, rows: int) -> None:
        """The store ran a statement for the line at hand and got `rows` back."""
        if self._open and len(self._open[-1].line.queries) < MAX_QUERIES:
            self._open[-1].line.queries.append((sql, seconds, rows))

    def debug(self, value: Any) -> None:
        """`debug_log`, and what a lambda writes to its console."""
        if self._open and len(self._open[-1].line.logs) < MAX_LOGS:
            self._open[-1].line.logs.append(self._written(value) or b'"(no room)"')

    def hide(self, *secrets: str) -> None:
        """More texts that must never be shown: sensitive inputs, which are known once they are bound."""
        self.secrets.extend(secret for secret in secrets if secret)
        self._masker = None

    def finish(self, failed: bool) -> None:
        """The run is over."""
        if failed:
            self._fail(0)
        self._close(0)

    def _fail(self, level: int) -> None:
        for opened in self._open:
            if opened.level >= level:
                opened.line.failed = True
                if opened.entry is not None:
                    opened.entry.failed = True

    def _written(self, value: Any) -> bytes | None:
        """A value as JSON, or None when there is no room for it any more."""
        try:
            text = encode(value)
        except Problem:
            text = b'"(too deep to show)"'
        if len(text) > self._room:
            return None
        self._room -= len(text)
        return text

    # What is shown

    def _hides(self) -> Masker:
        if self._masker is None:
            self._masker = Masker(self.secrets)
            # Too short to be looked for inside of texts; a whole value is still the secret itself.
            self._short = [secret for secret in self.secrets if len(secret) < 4]
        return self._masker

    def masked(self, text: str) -> str:
        """JSON or another text without secrets."""
        text = self._hides().hide(text)
        for secret in self._short:
            text = text.replace(f'"{secret}"', f'"{MASK}"')
        return text

    def masked_in(self, value: Any) -> Any:
        """A value without secrets, at any depth."""
        if isinstance(value, str):
            return MASK if value in self.secrets else self.masked(value)
        try:
            value = self._hides().hide_in(value)
        except Problem:
            # Nested deeper than any JSON may be: who encodes it says so.
            return value
        return _without(value, self._short) if self._short else value

    def as_value(self) -> list[dict[str, Any]]:
        """JSON for the console and the management API, in the order lines were first entered; secrets masked."""
        return [self._shown(line) for line in self.lines.values()]

    def _shown(self, line: LineTrace) -> dict[str, Any]:
        made: dict[str, Any] = {
            "line": line.line,
            "key": line.key,
            "within": line.within,
            "entered": line.entered,
            "kept": len(line.entries),
            "began": round(line.began * 1000, 3),
            "milliseconds": round(line.seconds * 1000, 3),
            "failed": line.failed,
            "way": line.entries[-1].way if line.entries else "",
            "turns": sum(entry.turns for entry in line.entries),
        }
        if line.has_value:
            made.update(self._last(line))
        if line.queries:
            made["queries"] = [
                {"sql": self.masked(sql), "milliseconds": round(seconds * 1000, 3), "rows": rows}
                for sql, seconds, rows in line.queries
            ]
        if line.logs:
            made["debug"] = [self.cut(self.masked(log.decode())) for log in line.logs]
        return made

    def _last(self, line: LineTrace) -> dict[str, Any]:
        entry = line.entries[-1] if line.entries and line.entered == len(line.entries) else None
        raw = entry.value if entry is not None else self._written(line.last)
        return self.preview(raw)

    def preview(self, raw: bytes | None) -> dict[str, Any]:
        """`value` as JSON text, at most 32 KB of it, its size in `bytes`, and whether it was `cut`."""
        if raw is None:
            return {"value": "", "bytes": None, "cut": True}
        text = self.masked(raw.decode())
        return {"value": self.cut(text), "bytes": len(raw), "cut": len(text) > PREVIEW_BYTES}

    @staticmethod
    def cut(text: str) -> str:
        """The beginning of a text that is too long to show."""
        return text if len(text) <= PREVIEW_BYTES else text[:PREVIEW_BYTES] + "…"

    def entries(self) -> dict[str, list[dict[str, Any]]]:
        """Every kept entry by its line's key, values whole (masked JSON texts), for looking at later."""
        return {line.key: [self._entry(entry) for entry in line.entries] for line in self.lines.values()}

    def _entry(self, entry: Entry) -> dict[str, Any]:
        return {
            "rounds": list(entry.rounds),
            "began": round(entry.began * 1000, 3),
            "milliseconds": round(entry.seconds * 1000, 3),
            "way": entry.way,
            "turns": entry.turns,
            "failed": entry.failed,
            "value": None if entry.value is None else self.masked(entry.value.decode()),
        }


def _without(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(part, secrets) for key, part in value.items()}
    if isinstance(value, list):
        return [_without(part, secrets) for part in value]
    return MASK if isinstance(value, str) and value in secrets else value
