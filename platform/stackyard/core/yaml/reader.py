"""Reading: plain JSON data from the events of ruamel.yaml's scanner and parser, and where each value stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml import events as ev
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from stackyard.core.errors import Detail, Path, Problem
from stackyard.core.limits import JSON_DEPTH

from .scalars import plain_value

MAX_CHARACTERS = 500_000
MAX_VALUES = 50_000
_MAX_FAULTS = 50

Position = tuple[int, int]
"""Line and column, both counted from 1."""

_EXPRESSION_HEAD = re.compile(r"(?:!expr +|(?!!))(['\"]?)(?=[^|>\s])")


@dataclass(frozen=True, slots=True)
class YamlFault:
    """One place in a text that can't be read."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class InvalidYaml(Problem):
    """400 `INVALID_YAML`; `faults` are all places, in reading order."""

    def __init__(self, faults: list[YamlFault]) -> None:
        self.faults = tuple(faults)
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        details = [Detail(f"line {f.line}, column {f.column}", "yaml", f.message) for f in faults]
        super().__init__("INVALID_YAML", f"{faults[0]}{more}", status=400, details=details)


@dataclass(slots=True)
class Loaded:
    """What a text says (`data`, plain JSON values) and where it says it."""

    data: Any = None
    _keys: dict[Path, Position] = field(default_factory=dict)
    _values: dict[Path, Position] = field(default_factory=dict)
    _lines: list[str] = field(default_factory=list)

    def position(self, path: Path) -> Position | None:
        """Where the entry at `path` begins: its key in a map, its value in a list; else its nearest parent's.

        None only for an empty text.
        """
        for length in range(len(path), -1, -1):
            place = self._keys.get(path[:length]) or self._values.get(path[:length])
            if place is not None:
                return place
        return None

    def value_position(self, path: Path) -> Position | None:
        """Where the value at `path` begins (behind its key); the nearest parent's position when it is absent."""
        return self._values.get(path) or self.position(path)

    def expression_position(self, path: Path, column: int) -> Position | None:
        """Where column `column` (from 1) of the expression at `path` stands, for one written on a single line.

        The expression's own beginning when it is a block of several lines.
        """
        place = self._values.get((*path, "$expr")) or self.value_position(path)
        if place is None or path not in self._values:
            return place
        line, start = place
        text = self._lines[line - 1]
        head = _EXPRESSION_HEAD.match(text, start - 1)
        if head is None:
            return place
        at = head.end()
        for _ in range(column - 1):
            # In single quotes a quote is written twice, in double quotes behind a backslash.
            pair = text[at : at + 2]
            at += 2 if (head[1] == "'" and pair == "''") or (head[1] == '"' and pair[:1] == "\\") else 1
        return line, min(at, len(text)) + 1


def load(text: str) -> Loaded:
    """Read one YAML document. `InvalidYaml` with every doubled key, refused value and the first syntax fault."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidYaml([YamlFault(1, 1, f"the text is longer than {MAX_CHARACTERS:,} characters")])
    reader = _Reader()
    reader.loaded._lines = text.split("\n")
    try:
        reader.read(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        reader.faults.append(_syntax_fault(error))
    except YAMLError as error:
        reader.faults.append(_character_fault(error, text))
    except _Refused:
        pass
    if reader.faults:
        raise InvalidYaml(reader.faults[:_MAX_FAULTS])
    return reader.loaded


def _syntax_fault(error: MarkedYAMLError) -> YamlFault:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    said = " ".join(str(part) for part in (error.context, error.problem) if part)
    return YamlFault(line, column, said)


def _character_fault(error: YAMLError, text: str) -> YamlFault:
    """A character YAML does not allow; the library gives its offset only."""
    before = text[: int(getattr(error, "position", 0) or 0)]
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    code = getattr(error, "character", None)
    what = (
        f"the character U+{code:04X} is not allowed"
        if isinstance(code, int)
        else "a character is not allowed"
    )
    return YamlFault(line, column, what)


class _Refused(Exception):
    """Reading on makes no sense: too deep, too many values, a second document."""


class _Reader:
    """Builds data from events. Recursion is bounded by the depth it checks before it goes down."""

    def __init__(self) -> None:
        self.loaded = Loaded()
        self.faults: list[YamlFault] = []
        self._values = 0

    def read(self, events: Iterator[Any]) -> None:
        """Take the whole stream; more than one document is a fault."""
        documents = 0
        for event in events:
            if isinstance(event, ev.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._stop(event, "one file holds one document: take out the line ---")
                self.loaded.data = self._value(next(events), events, ())

    def _fault(self, event: Any, message: str) -> None:
        mark = event.start_mark
        self.faults.append(YamlFault(mark.line + 1, mark.column + 1, message))

    def _stop(self, event: Any, message: str) -> None:
        self._fault(event, message)
        raise _Refused

    def _value(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        mark = event.start_mark
        self.loaded._values[path] = (mark.line + 1, mark.column + 1)
        self._values += 1
        if self._values > MAX_VALUES:
            self._stop(event, f"the document holds more than {MAX_VALUES:,} values")
        if len(path) > JSON_DEPTH.default:
            self._stop(event, f"the document is nested deeper than {JSON_DEPTH.default} levels")
        if isinstance(event, ev.AliasEvent):
            self._fault(event, "aliases (*name) are not read: write the value out")
            return None
        if event.anchor is not None:
            self._fault(event, "anchors (&name) are not read: write the value out where it is used")
        if isinstance(event, ev.ScalarEvent):
            return self._scalar(event)
        self._refuse_tag(event)
        if isinstance(event, ev.MappingStartEvent):
            return self._map(events, path)
        return self._list(events, path)

    def _map(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in events:
            if isinstance(event, ev.MappingEndEvent):
                break
            if not isinstance(event, ev.ScalarEvent) or event.tag is not None or event.anchor is not None:
                self._stop(event, "a key must be plain text")
            key = event.value
            if key in found:
                self._fault(event, f'the key "{key}" is there twice')
            else:
                self.loaded._keys[(*path, key)] = (event.start_mark.line + 1, event.start_mark.column + 1)
            value = self._value(next(events), events, (*path, key))
            found.setdefault(key, value)
        return found

    def _list(self, events: Iterator[Any], path: Path) -> list[Any]:
        found: list[Any] = []
        for event in events:
            if isinstance(event, ev.SequenceEndEvent):
                break
            found.append(self._value(event, events, (*path, len(found))))
        return found

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None and event.tag != "!":
            self._fault(event, f"the tag {event.tag} is not known here: there is !expr, on a text")

    def _scalar(self, event: Any) -> Any:
        if event.tag == "!expr":
            return {"$expr": event.value}
        self._refuse_tag(event)
        if event.style is not None or event.tag == "!":
            return event.value
        try:
            return plain_value(event.value)
        except ValueError as error:
            self._fault(event, str(error))
            return None
