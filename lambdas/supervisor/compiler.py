"""TypeScript to JavaScript, in a slot that never runs any of it.

The types are stripped by Deno (`node:module`, stripTypeScriptTypes) in a process of its own rather than in
each slot: loading that module costs a fresh slot as much time again as its whole start.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from stackyard.core.jsonout import encode

from .conversation import failure_of
from .frames import COMPILE, DONE, BadFrame, Ended, Late
from .job import Failure
from .slot import Slot

_SECONDS = 10.0
_MOST = 256
_MOST_CHARACTERS = 32_000_000
_COMPILES_OF_ONE_SLOT = 2_000


# Texts and comments, whose brackets are none, and brackets.
_BRACKETS = re.compile(
    r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|//[^\n]*|/\*.*?\*/|(?P<open>[\[({])|(?P<close>[\])}])""", re.S
)
_DEEP = 500


@dataclass(frozen=True, slots=True)
class Compiled:
    """JavaScript with the lines and columns of its source, and the specifiers that it imports.

    `head` is where the import declarations end, in UTF-16 units of the source.
    """

    code: str
    imports: Sequence[str]
    head: int = 0


class SyntaxFault(Exception):
    """The source is not TypeScript; `failure` says where and why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Compiler:
    """Compiles one source at a time and remembers the last ones. `take` gives a fresh slot, `bury` takes it back."""

    def __init__(self, take: Callable[[], Slot], bury: Callable[[Slot], None]) -> None:
        self._take = take
        self._bury = bury
        self._lock = threading.Lock()
        self._slot: Slot | None = None
        self._known: OrderedDict[str, Compiled] = OrderedDict()
        self._characters = 0

    def compile(self, source: str) -> Compiled:
        """The JavaScript of a source. SyntaxFault when it is not TypeScript, Problem as taking a slot raises it."""
        known = self._known.get(source)
        if known is not None:
            return known
        with self._lock:
            said = self._ask(source)
            if "error" in said:
                raise SyntaxFault(failure_of(said["error"]))
            value = said["value"]
            compiled = Compiled(value["code"], tuple(value["imports"]), value["head"])
            self._keep(source, compiled)
            return compiled

    def close(self, idle_since: float | None = None) -> None:
        """Give the slot back; with `idle_since` (monotonic seconds) only when it was not used after that."""
        with self._lock:
            slot = self._slot
            if slot is not None and (idle_since is None or slot.last_used_at < idle_since):
                self._drop()

    def _ask(self, source: str) -> dict[str, Any]:
        if self._slot is not None and not self._slot.channel.is_quiet():
            self._drop()
        if self._slot is None:
            self._slot = self._take()
        slot = self._slot
        deadline = time.monotonic() + _SECONDS
        try:
            slot.allow_cpu(_SECONDS)
            token = slot.say(COMPILE, encode(source), deadline)
            frame = slot.hear(token, deadline)
            if frame.kind != DONE:
                raise BadFrame("no end")
            said: dict[str, Any] = orjson.loads(frame.payload)
        except (BadFrame, Ended, Late, ValueError):
            self._drop()
            raise SyntaxFault(_too_much(source)) from None
        slot.runs += 1
        slot.last_used_at = time.monotonic()
        if slot.runs >= _COMPILES_OF_ONE_SLOT:
            self._drop()
        return said

    def _drop(self) -> None:
        if self._slot is not None:
            self._bury(self._slot)
            self._slot = None

    def _keep(self, source: str, compiled: Compiled) -> None:
        self._known[source] = compiled
        self._characters += len(source) + len(compiled.code)
        while len(self._known) > _MOST or self._characters > _MOST_CHARACTERS:
            old, gone = self._known.popitem(last=False)
            self._characters -= len(old) + len(gone.code)


def _too_much(source: str) -> Failure:
    """The compiler did not live through a source: where it is nested most deeply, or else its longest line."""
    depth = deepest = at = 0
    for found in _BRACKETS.finditer(source):
        if found["open"]:
            depth += 1
            if depth > deepest:
                deepest, at = depth, found.start()
        elif found["close"]:
            depth = max(0, depth - 1)
    if deepest >= _DEEP:
        message = f"The code can't be compiled: {deepest:,} brackets are open here, each in the other."
    else:
        lines = source.split("\n")
        longest = max(range(len(lines)), key=lambda number: len(lines[number]))
        at = sum(len(line) + 1 for line in lines[:longest])
        message = (
            "The code can't be compiled: it is too much for the compiler, most likely here. Take it apart."
        )
    before = source[:at].split("\n")
    return Failure("SyntaxError", message, code="SYNTAX", line=len(before), column=len(before[-1]) + 1)
