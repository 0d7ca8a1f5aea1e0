"""Paths and templates: which endpoint of an API group a URL means. No models, no HTTP.

A template is a list of segments, each a literal or one `{parameter}`. Literals win over parameters,
segment by segment from the left. Two templates of one method may overlap only when one of them is
more literal wherever they differ; any other overlap is refused when it is saved (`conflict`), so a
URL never has two equally good answers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from stackyard.core.errors import Faults, Path, Problem
from stackyard.core.names import is_name, name_rule

_LITERAL = re.compile(r"[A-Za-z0-9_.~-]+\Z")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_BROKEN = re.compile(r"%[89A-Fa-f][0-9A-Fa-f]")
TEMPLATE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a template between slashes: a literal text, or a parameter's name."""

    text: str
    is_parameter: bool


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed path template, such as `/customers/{customer_id}`; `/` alone has no segments."""

    segments: tuple[Segment, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names from left to right."""
        return tuple(segment.text for segment in self.segments if segment.is_parameter)

    def __str__(self) -> str:
        parts = (f"{{{s.text}}}" if s.is_parameter else s.text for s in self.segments)
        return "/" + "/".join(parts)


def parse_template(text: object, faults: Faults, path: Path = ("path",)) -> Template | None:
    """A template from its text; every fault goes to `faults`, and the answer is then None."""
    if not isinstance(text, str) or not text.startswith("/"):
        faults.error(path, "path", 'The path must be text that begins with "/".')
        return None
    if len(text) > TEMPLATE_LENGTH:
        faults.error(path, "path", f"The path may have at most {TEMPLATE_LENGTH} characters.")
        return None
    before = len(faults.found)
    parts = text[1:].removesuffix("/").split("/") if text != "/" else []
    segments = [_segment(part, faults, path) for part in parts]
    names = [segment.text for segment in segments if segment.is_parameter]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.error(path, "path", f"The path names {{{name}}} twice.")
    return Template(tuple(segments)) if len(faults.found) == before else None


def _segment(part: str, faults: Faults, path: Path) -> Segment:
    if part.startswith("{") and part.endswith("}"):
        name = part[1:-1]
        if not is_name(name):
            faults.error(path, "path", f'"{part}" is not a parameter. {name_rule()}')
        return Segment(name, True)
    if "{" in part or "}" in part:
        faults.error(
            path,
            "path",
            f'"{part}" mixes text and a parameter. A parameter takes a whole segment, such as /orders/{{order_id}}.',
        )
    elif not part:
        faults.error(path, "path", "The path has an empty segment (two slashes in a row).")
    elif part in {".", ".."}:
        faults.error(path, "path", f'"{part}" can\'t be a segment of a path.')
    elif not _LITERAL.match(part):
        faults.error(
            path, "path", f'"{part}" holds a character that is not a letter, a digit or one of _ . ~ -'
        )
    return Segment(part, False)


def overlaps(one: Template, other: Template) -> bool:
    """Whether both could match the same URL at the same strength (see the module)."""
    if len(one.segments) != len(other.segments):
        return False
    one_stronger = other_stronger = False
    for left, right in zip(one.segments, other.segments, strict=True):
        if not left.is_parameter and not right.is_parameter:
            if left.text != right.text:
                return False
        elif left.is_parameter != right.is_parameter:
            one_stronger = one_stronger or not left.is_parameter
            other_stronger = other_stronger or not right.is_parameter
    return one_stronger == other_stronger


def conflict(template: Template, others: Iterable[Template]) -> Template | None:
    """The first of `others` (of the same group and method) that this template can't stand beside, or None."""
    return next((other for other in others if overlaps(template, other)), None)


def decode_path(path_info: str) -> str:
    """WSGI's PATH_INFO (percent-decoded once by the server, bytes as latin-1) as text in one normal form (NFC).

    Problem `INVALID_INPUT` when it is not UTF-8.
    """
    if path_info.isascii():
        return path_info
    try:
        text = path_info.encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise _bad_path("The path is not valid UTF-8.") from None
    return unicodedata.normalize("NFC", text)


def path_from_django(path_info: str) -> str:
    """The same from Django's `request.path_info`, which is decoded already.

    Django writes bytes that are not UTF-8 as escapes again, so that nothing tells them from an escape that was
    escaped; either is refused.
    """
    if _BROKEN.search(path_info):
        raise _bad_path("The path is not valid UTF-8.")
    return unicodedata.normalize("NFC", path_info)


def split_path(path: str) -> list[str]:
    """The segments of a decoded path below a group's address; one trailing slash is ignored.

    Problem `INVALID_INPUT` on control characters, backslashes, and `.`, `..` or empty segments.
    """
    if _UNSAFE.search(path):
        raise _bad_path("The path holds a control character or a backslash.")
    path = path.removeprefix("/")
    if not path:
        return []
    segments = path.removesuffix("/").split("/")
    for segment in segments:
        if segment in {"", ".", ".."}:
            raise _bad_path(
                f'The path has the segment "{segment}".' if segment else "The path has an empty segment."
            )
    return segments


def _bad_path(message: str) -> Problem:
    return Problem("INVALID_INPUT", message)


T = TypeVar("T")


class _Node(Generic[T]):
    """A segment's place in the trie."""

    __slots__ = ("literals", "names", "parameter", "target")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.parameter: _Node[T] | None = None
        self.target: T | None = None
        self.names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match(Generic[T]):
    """What a path leads to, and the parameters it carries (texts)."""

    target: T
    parameters: Mapping[str, str]


class Router(Generic[T]):
    """The endpoints of one API group: a trie of segments per method. Filled once, then only read."""

    def __init__(self) -> None:
        self._roots: dict[str, _Node[T]] = {}

    def add(self, method: str, path: str, target: T) -> None:
        """Enter a template that was checked when it was saved."""
        node = self._roots.get(method)
        if node is None:
            node = self._roots[method] = _Node()
        names: list[str] = []
        for part in path.strip("/").split("/") if path != "/" else ():
            if part[0] == "{":
                names.append(part[1:-1])
                if node.parameter is None:
                    node.parameter = _Node()
                node = node.parameter
            else:
                child = node.literals.get(part)
                if child is None:
                    child = node.literals[part] = _Node()
                node = child
        node.target, node.names = target, tuple(names)

    def match(self, method: str, segments: Sequence[str]) -> Match[T] | None:
        """The endpoint for a method (HEAD answers as GET) and the path's segments, or None."""
        root = self._roots.get("GET" if method == "HEAD" else method)
        if root is None:
            return None
        values: list[str] = []
        node = _walk(root, segments, 0, values)
        if node is None or node.target is None:
            return None
        return Match(node.target, dict(zip(node.names, values, strict=True)))

    def methods(self, segments: Sequence[str]) -> tuple[str, ...]:
        """The methods a path answers to, for `Allow`, in the order they are usually told; empty when it is unknown."""
        known = {method for method, root in self._roots.items() if _walk(root, segments, 0, []) is not None}
        if not known:
            return ()
        known.add("OPTIONS")
        if "GET" in known:
            known.add("HEAD")
        return tuple(m for m in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") if m in known)


def _walk(node: _Node[T], segments: Sequence[str], at: int, values: list[str]) -> _Node[T] | None:
    """The node for `segments[at:]`, trying literals first; `values` gets the parameters on the way."""
    while at < len(segments):
        segment = segments[at]
        literal, parameter = node.literals.get(segment), node.parameter
        at += 1
        if literal is not None:
            if parameter is None:
                node = literal
                continue
            mark = len(values)
            found = _walk(literal, segments, at, values)
            if found is not None:
                return found
            del values[mark:]
        if parameter is None:
            return None
        values.append(segment)
        node = parameter
    return node if node.target is not None else None
