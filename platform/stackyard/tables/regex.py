"""Regular expressions that mean the same on both databases.

SQLite has none of its own and is given RE2, which runs in linear time; PostgreSQL's own dialect differs
from it (`.`, `\\d`, flags, Unicode). So a pattern is parsed here, as RE2's syntax without what has no
counterpart, into sets, sequences, alternatives and repeats, and written out again for either engine from
that one tree: same classes (ASCII for `\\d \\w \\s \\b`), same anchors, same letters under `(?i)`.
Syntax: https://github.com/google/re2/wiki/Syntax ; PostgreSQL: its manual, 9.7.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import re2

from .field_type import refuse
from .regex_sets import CLASSES, ESCAPES, POSIX, Ranges, both_cases, negate

LENGTH, REPEATS, SIZE = 1_000, 255, 1_000


@dataclass(frozen=True, slots=True)
class Letters:
    """One character out of some ranges, or of all others."""

    ranges: Ranges
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A place: `start`, `end`, `edge` (of a word) or `inside`."""

    name: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts after each other."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of some parts."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part from `least` to `most` times (None: any number)."""

    part: Tree
    least: int
    most: int | None


Tree = Letters | Mark | Sequence | Either | Repeat


class _Parser:
    """Recursive descent over one pattern; `ignore_case` and `dot_all` hold for the group being read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.ignore_case = False
        self.dot_all = False

    def parse(self) -> Tree:
        tree = self.alternatives(0)
        if self.at < len(self.text):
            raise self.fault("has a ) without a (")
        return tree

    def fault(self, what: str) -> Exception:
        return refuse("pattern", f"{what} (at character {self.at + 1})")

    def peek(self, text: str) -> bool:
        return self.text.startswith(text, self.at)

    def take(self) -> str:
        if self.at >= len(self.text):
            raise self.fault("ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def alternatives(self, depth: int) -> Tree:
        if depth > 50:
            raise self.fault("nests too deep")
        parts = [self.sequence(depth)]
        while self.peek("|"):
            self.at += 1
            parts.append(self.sequence(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def sequence(self, depth: int) -> Tree:
        parts: list[Tree] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            part = self.atom(depth)
            if part is not None:
                parts.append(self.repeated(part))
        return Sequence(tuple(parts))

    def repeated(self, part: Tree) -> Tree:
        bounds = self.bounds()
        if bounds is None:
            return part
        if isinstance(part, Mark):
            raise self.fault("repeats something that is no text")
        if self.peek("?"):
            self.at += 1
        if self.bounds() is not None:
            raise self.fault("repeats a repetition")
        return Repeat(part, *bounds)

    def bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.peek(sign):
                self.at += 1
                return bounds
        end = self.text.find("}", self.at) if self.peek("{") else -1
        low, comma, high = self.text[self.at + 1 : end].partition(",") if end > 0 else ("", "", "")
        if not _digits(low) or (high and not _digits(high)):
            return None
        self.at = end + 1
        least, most = int(low), int(high) if high else (None if comma else int(low))
        if max(least, most or 0) > REPEATS or (most is not None and most < least):
            raise self.fault(f"repeats outside of 0 to {REPEATS} times")
        return least, most

    def atom(self, depth: int) -> Tree | None:
        character = self.take()
        if character == "(":
            return self.group(depth)
        if character == "[":
            return self.letter_class()
        if character == "\\":
            return self.escape()
        if character in "*+?":
            raise self.fault("repeats nothing")
        if character in "^$":
            return Mark("start" if character == "^" else "end")
        if character == ".":
            return Letters(() if self.dot_all else ((10, 10),), negated=True)
        return self.letters(((ord(character), ord(character)),))

    def letters(self, ranges: Ranges, negated: bool = False) -> Letters:
        return Letters(both_cases(ranges) if self.ignore_case else ranges, negated)

    def group(self, depth: int) -> Tree | None:
        before = (self.ignore_case, self.dot_all)
        if self.peek("?"):
            self.at += 1
            if self.peek("P<") or self.peek("<"):
                self.group_name()
            elif self.flags():
                return None
        tree = self.alternatives(depth + 1)
        if not self.peek(")"):
            raise self.fault("has a ( without a )")
        self.at += 1
        self.ignore_case, self.dot_all = before
        return tree

    def group_name(self) -> None:
        end = self.text.find(">", self.at)
        name = self.text[self.at : end].removeprefix("P").removeprefix("<")
        if end < 0 or not name.isidentifier():
            raise self.fault("has a group without a proper name")
        self.at = end + 1

    def flags(self) -> bool:
        """Read `i`, `s`, `-i` …; whether they stand for the rest of the group (`(?i)`)."""
        on = True
        while True:
            character = self.take()
            if character in ":)":
                return character == ")"
            if character == "-":
                on = False
            elif character == "i":
                self.ignore_case = on
            elif character == "s":
                self.dot_all = on
            else:
                raise self.fault(f"asks for the flag {character}; there are i and s")

    def escape(self) -> Tree:
        character = self.take()
        marks = {"A": "start", "z": "end", "b": "edge", "B": "inside"}
        if character in marks:
            return Mark(marks[character])
        if character.lower() in CLASSES:
            return Letters(CLASSES[character.lower()], negated=character.isupper())
        code = self.code(character)
        return self.letters(((code, code),))

    def code(self, character: str) -> int:
        """The code point of an escaped character."""
        if character in ESCAPES:
            return ESCAPES[character]
        if character == "x":
            return self.hexadecimal()
        if character.isascii() and character.isalnum():
            raise self.fault(f"uses \\{character}, which is not known here")
        return ord(character)

    def hexadecimal(self) -> int:
        if self.peek("{"):
            end = self.text.find("}", self.at)
            digits, self.at = self.text[self.at + 1 : end], end + 1
        else:
            digits, self.at = self.text[self.at : self.at + 2], self.at + 2
        try:
            code = int(digits, 16) if 0 < len(digits) <= 6 and digits.isalnum() else 0
        except ValueError:
            code = 0
        if not 0 < code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise self.fault("names a character that does not exist")
        return code

    def letter_class(self) -> Letters:
        negated = self.peek("^")
        self.at += negated
        ranges: list[tuple[int, int]] = []
        first = True
        while first or not self.peek("]"):
            first = False
            ranges += self.class_part()
        self.at += 1
        return self.letters(tuple(ranges), negated)

    def class_part(self) -> Ranges:
        if self.peek("[:"):
            return self.posix()
        character = self.take()
        if character == "\\":
            character = self.take()
            if character.lower() in CLASSES:
                known = CLASSES[character.lower()]
                return negate(known) if character.isupper() else known
            low = self.code(character)
        else:
            low = ord(character)
        if not self.peek("-") or self.text[self.at + 1 : self.at + 2] in ("]", ""):
            return ((low, low),)
        self.at += 1
        character = self.take()
        high = self.code(self.take()) if character == "\\" else ord(character)
        if high < low:
            raise self.fault("has a range that runs backwards")
        return ((low, high),)

    def posix(self) -> Ranges:
        end = self.text.find(":]", self.at)
        name = self.text[self.at + 2 : end] if end > 0 else ""
        known = POSIX.get(name.removeprefix("^"))
        if known is None:
            raise self.fault("names a class that is not known")
        self.at = end + 2
        return negate(known) if name.startswith("^") else known


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4


def _size(tree: Tree) -> int:
    match tree:
        case Letters() | Mark():
            return 1
        case Repeat(part, least, most):
            return _size(part) * max(least, most or 1, 1)
        case _:
            return 1 + sum(_size(part) for part in tree.parts)


def _write(tree: Tree, marks: dict[str, str], character: str) -> str:
    match tree:
        case Letters(ranges, negated):
            return _write_letters(ranges, negated, character)
        case Mark(name):
            return marks[name]
        case Repeat(part, least, most):
            most_text = "" if most is None else str(most)
            return f"(?:{_write(part, marks, character)}){{{least},{most_text}}}"
        case _:
            sign = "|" if isinstance(tree, Either) else ""
            return f"(?:{sign.join(_write(part, marks, character) for part in tree.parts)})"


def _write_letters(ranges: Ranges, negated: bool, character: str) -> str:
    if not ranges:
        # No range at all, negated: every character.
        return _write_letters(((1, 0xD7FF), (0xE000, 0x10FFFF)), not negated, character)
    parts = [
        character % low if low == high else f"{character % low}-{character % high}" for low, high in ranges
    ]
    return f"[{'^' if negated else ''}{''.join(parts)}]"


_RE2_MARKS = {"start": r"\A", "end": r"\z", "edge": r"\b", "inside": r"\B"}
_POSTGRESQL_MARKS = {"start": r"\A", "end": r"\Z", "edge": r"\y", "inside": r"\Y"}


@lru_cache(maxsize=512)
def _tree(pattern: str) -> Tree:
    if len(pattern) > LENGTH:
        raise refuse("length", f"must have at most {LENGTH:,} characters")
    tree = _Parser(pattern).parse()
    if _size(tree) > SIZE:
        raise refuse("pattern", "is too large once its repetitions are counted")
    return tree


def for_re2(pattern: str) -> str:
    """The pattern for RE2 (SQLite). Raises `Refused` with code `pattern`."""
    return _write(_tree(pattern), _RE2_MARKS, "\\x{%x}")


def for_postgresql(pattern: str) -> str:
    """The pattern as an advanced regular expression of PostgreSQL. Raises `Refused` with code `pattern`."""
    return _write(_tree(pattern), _POSTGRESQL_MARKS, "\\U%08x")


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options=options)


def matches(pattern: str, text: str | None) -> bool | None:
    """Whether the pattern (of `for_re2`) is found in a text: the function that SQLite is given."""
    return None if text is None else _compiled(pattern).search(text) is not None
