"""YAML in and out: how documents are spelled in files and in the console's text editor.

Reading takes the events of ruamel.yaml's scanner and parser and builds plain JSON data from them, with
our own closed rules: scalars by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema),
so `off`, `no`, `12:30` and dates are text; `!expr 'x'` becomes `{"$expr": "x"}`; anchors, aliases, other
tags, doubled keys, non-finite numbers and anything too deep or too long are faults with their line.

Writing is a printer of our own, since an export must be the same byte for byte with every version of a
library: block style, short maps and lists without structure inside on one line, expressions in single
quotes, text of several lines as literal blocks.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml import events as ev
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from .errors import Detail, Path, Problem
from .limits import JSON_DEPTH

MAX_CHARACTERS = 500_000
MAX_VALUES = 50_000
_MAX_FAULTS = 50
_INT_BITS = 64

Position = tuple[int, int]
"""Line and column, both counted from 1."""

_NULL = re.compile(r"(?:|~|null|Null|NULL)\Z")
_TRUE = re.compile(r"(?:true|True|TRUE)\Z")
_FALSE = re.compile(r"(?:false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9]+\Z")
_OTHER_INT = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")


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


def load(text: str) -> Loaded:
    """Read one YAML document. `InvalidYaml` with every doubled key, refused value and the first syntax fault."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidYaml([YamlFault(1, 1, f"the text is longer than {MAX_CHARACTERS:,} characters")])
    reader = _Reader()
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
            return _plain(event.value)
        except ValueError as error:
            self._fault(event, str(error))
            return None


def _plain(text: str) -> Any:
    """The value of an unquoted scalar; ValueError for a number that JSON does not have."""
    if _NULL.match(text):
        return None
    if _TRUE.match(text):
        return True
    if _FALSE.match(text):
        return False
    if _INT.match(text) or _OTHER_INT.match(text):
        return _whole_number(text)
    if _FLOAT.match(text):
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise ValueError(f"the number {text[:40]} is too large: put it in quotes, or write a smaller one")
        return number
    if _NOT_FINITE.match(text):
        raise ValueError(f"{text} is not a number that JSON has: put it in quotes when it is text")
    return text


def _whole_number(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    digits = text[2:] if base != 10 else text
    number = int(digits, base) if len(digits) <= _INT_BITS + 2 else 1 << _INT_BITS
    if not -(1 << (_INT_BITS - 1)) <= number < 1 << (_INT_BITS - 1):
        raise ValueError("whole numbers have at most 64 bits: put longer ones in quotes")
    return number


# --- writing ---------------------------------------------------------------------------------------

_WIDTH = 100
_STEP = 2
# Longest key that may stand before its colon without the mark `?` (YAML allows 1,024).
_KEY_LENGTH = 900
# What may stand unquoted: a subset of YAML's plain scalars, right in flow style and as a key …
_PLAIN_FLOW = re.compile(r"(?:[^\W\d]|[/$]|-(?=\w))[\w./$+@()=-]*(?: [\w./$+@()=-]+)*\Z")
# … and one that is right as the whole rest of a line: sentences, addresses, paths with {parameters}.
_PLAIN_BLOCK = re.compile(
    r"(?:[^\W\d]|[/$])(?:[\w./$+@()=,;'\"!?%&*<>|~^\[\]{}\u2013\u2014\u2026-]|:(?=[\w/])| (?! ))*(?<! )\Z"
)
# Characters that YAML only takes escaped, or that a reader would fold.
_ESCAPED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
_NOT_LITERAL = re.compile(_ESCAPED.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))


def dump(data: Any) -> str:
    """JSON data as YAML, the same byte for byte for equal data; `load(dump(data)).data == data`.

    Keys keep their order. TypeError for a value JSON does not have.
    """
    inline = _inline(data, _WIDTH, depth=0)
    lines = [inline] if inline is not None else _lines(data, 0, 0)
    return "\n".join(lines) + "\n"


def _lines(value: Any, indent: int, depth: int) -> list[str]:
    """A map or list, an entry a line."""
    pad = " " * indent
    if isinstance(value, list):
        return [line for entry in value for line in _list_entry(pad, entry, indent, depth + 1)]
    if isinstance(value, Mapping) and _expression(value) is None:
        return [line for key in value for line in _map_entry(pad, key, value[key], indent, depth + 1)]
    # A text too long for flow style or for the root: the whole document is this one value.
    return [pad + _scalar(value, in_flow=True)]


def _map_entry(pad: str, key: str, value: Any, indent: int, depth: int) -> list[str]:
    name = _text(key, in_flow=True)
    head = f"{pad}{name}:" if len(name) <= _KEY_LENGTH else f"{pad}? {name}\n{pad}:"
    return _entry(head, value, indent, depth) or [head, *_lines(value, indent + _STEP, depth)]


def _list_entry(pad: str, value: Any, indent: int, depth: int) -> list[str]:
    simple = _entry(f"{pad}-", value, indent, depth)
    if simple is not None:
        return simple
    first, *rest = _lines(value, indent + _STEP, depth)
    return [f"{pad}- {first[indent + _STEP :]}", *rest]


def _entry(head: str, value: Any, indent: int, depth: int) -> list[str] | None:
    """The entry where it needs no lines of its own below (None: it does), or is a literal block."""
    source = _expression(value)
    text = value if source is None else source
    tag = "" if source is None else "!expr "
    if isinstance(text, str) and _is_literal(text):
        pad = " " * (indent + _STEP)
        mark = "|" if text.endswith("\n") else "|-"
        body = text.removesuffix("\n").split("\n")
        return [f"{head} {tag}{mark}", *(pad + line if line else "" for line in body)]
    if source is not None or not isinstance(value, Mapping | list):
        return [f"{head} {_scalar(value, in_flow=False)}"]
    inline = _inline(value, _WIDTH - len(head) - 1, depth)
    return None if inline is None else [f"{head} {inline}"]


def _inline(value: Any, room: int, depth: int) -> str | None:
    """A map or list on one line, when it has no structure inside worth lines and fits `room` characters.

    The document and the maps right under it always take lines.
    """
    if isinstance(value, Mapping | list) and not value:
        return "{}" if isinstance(value, Mapping) else "[]"
    if depth <= 1 and isinstance(value, Mapping) and _expression(value) is None:
        return None
    text = _flow(value) if _is_leaf(value) else None
    return text if text is not None and len(text) <= room else None


def _is_leaf(value: Any) -> bool:
    """Whether a value reads well on one line: entries without structure, or one entry that is a leaf."""
    if isinstance(value, list):
        return all(_is_flat(entry) for entry in value)
    if not isinstance(value, Mapping):
        return _is_flat(value)
    if len(value) == 1:
        return all(_is_flat(entry) or _is_leaf(entry) for entry in value.values())
    return all(_is_flat(entry) or (isinstance(entry, list) and _is_leaf(entry)) for entry in value.values())


def _is_flat(value: Any) -> bool:
    source = _expression(value)
    text = value if source is None else source
    if isinstance(text, str):
        return "\n" not in text
    return not isinstance(text, Mapping | list) or not text


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_flow(entry) for entry in value) + "]"
    if isinstance(value, Mapping) and _expression(value) is None:
        return "{" + ", ".join(f"{_text(key, in_flow=True)}: {_flow(value[key])}" for key in value) + "}"
    return _scalar(value, in_flow=True)


def _expression(value: Any) -> str | None:
    """The source of `{"$expr": "…"}`, None for anything else."""
    if isinstance(value, Mapping) and len(value) == 1:
        source = value.get("$expr")
        return source if isinstance(source, str) else None
    return None


def _is_literal(text: str) -> bool:
    """Whether a literal block keeps the text as it is and shows all of it."""
    if "\n" not in text.removesuffix("\n") or text.endswith("\n\n") or _NOT_LITERAL.search(text):
        return False
    lines = text.split("\n")
    return bool(lines[0]) and not lines[0].startswith(" ") and not any(line.endswith(" ") for line in lines)


def _scalar(value: Any, *, in_flow: bool) -> str:
    source = _expression(value)
    if source is not None:
        return f"!expr {_quoted(source)}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value, in_flow=in_flow)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    raise TypeError(f"{value!r} is not a JSON value")


def _text(text: str, *, in_flow: bool) -> str:
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not a JSON key")
    plain = _PLAIN_FLOW if in_flow else _PLAIN_BLOCK
    if plain.match(text) and isinstance(_plain(text), str):
        return text
    return _quoted(text)


def _quoted(text: str) -> str:
    if _ESCAPED.search(text):
        return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
    return "'" + text.replace("'", "''") + "'"
