"""Templates for e-mails and pages: text with expressions in it.

    Hello {{ customer.name }},
    {% for line in order.lines %}
    {{ index + 1 }}. {{ line.title }}: {{ line.price | number_format(2) }}
    {% else %}Nothing.{% endfor %}
    {% if order.total > 100 %}Thank you!{% elif order.gift %}…{% else %}…{% endif %}
    {% set total = order.total * 1.19 %}{# a comment #}

The look is that of Twig and Jinja; what stands in the brackets is the expression language of stacks, with its filters,
its meanings and its budget (docs/decisions/templates.md). Texts are escaped for HTML unless the template is plain text or
the value ends in `| raw`. A `-` inside a bracket (`{%- … -%}`) takes away the blanks and line breaks on its side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .bounded import Bounded
from .errors import Detail, Problem
from .expressions import ExpressionError, Tree, parse
from .expressions.check import Checker
from .expressions.tree import Pipe
from .limits import TEMPLATE_CHARACTERS
from .names import is_name
from .template_parts import For, If, OpenScope, Output, Part, Set, Text, Value, Writing

_OPENING = re.compile(r"\{[{%#]")
_INSIDE = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{}%"']""", re.DOTALL)
_STATEMENT = re.compile(r"\s*([a-z]*)(.*)", re.DOTALL)
_LOOP = re.compile(r"\s*(\w+)\s+in\b(.*)", re.DOTALL)
_ASSIGNMENT = re.compile(r"\s*(\w+)\s*=(?!=)(.*)", re.DOTALL)
_DEEPEST = 20
_KEPT = 64

# What a piece of a template is: its kind (text, `{{`, `{%`), what stands inside, its line.
Piece = tuple[str, str, int]


class Template:
    """A template that was read. Problem `TEMPLATE_INVALID` with every fault in `details` when it cannot be."""

    def __init__(self, text: str) -> None:
        self._parts = _Reading(text).whole()

    def render(self, data: Mapping[str, Any], escapes: bool = True) -> str:
        """The text that `data` makes of it. Problem `TEMPLATE_INVALID` for a name that is not in the data,
        `EXPRESSION_FAILED`, `BUDGET_EXCEEDED` past 100,000 steps or 10 MB."""
        writing = Writing(dict(data), escapes)
        writing.run(self._parts)
        return "".join(writing.pieces)


_templates = Bounded(_KEPT)


def template(text: str) -> Template:
    """A template by its text; the ones used last are kept."""
    if len(text) > TEMPLATE_CHARACTERS.default:
        raise _invalid([f"A template has at most {TEMPLATE_CHARACTERS.default:,} characters."])
    made: Template = _templates.make(text, lambda: Template(text))
    return made


def _invalid(faults: list[str]) -> Problem:
    details = [Detail("template", "template", fault) for fault in faults]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Problem("TEMPLATE_INVALID", f"{faults[0]}{more}", details=details)


class _Broken(Exception):
    """The template's brackets do not fit; nothing after it can be read."""


class _Reading:
    """Reads a template's text to parts."""

    def __init__(self, text: str) -> None:
        self.faults: list[str] = []
        self._text = text
        self._pieces: list[Piece] = []
        self._position = 0
        self._depth = 0
        self._counted = (0, 1)

    def whole(self) -> tuple[Part, ...]:
        """The parts of the whole text."""
        try:
            self._split()
            parts, _, _ = self._block((), 0)
        except _Broken as broken:
            raise _invalid([*self.faults, str(broken)]) from None
        if self.faults:
            raise _invalid(self.faults)
        return parts

    # Text to pieces

    def _split(self) -> None:
        at, trims = 0, False
        while (opening := _OPENING.search(self._text, at)) is not None:
            kind = opening.group()
            end, inside = self._inside(opening.end(), kind)
            trims_before = inside.startswith("-")
            self._add_text(at, opening.start(), trims, trims_before)
            trims = len(inside) > 1 and inside.endswith("-")
            if kind != "{#":
                content = inside[1 if trims_before else 0 : -1 if trims else None]
                self._pieces.append((kind, content, self._line(opening.start())))
            at = end
        self._add_text(at, len(self._text), trims, False)

    def _inside(self, start: int, kind: str) -> tuple[int, str]:
        """Where a bracket ends and what it holds: brackets in texts and of objects do not end it."""
        closing = {"{{": "}}", "{%": "%}", "{#": "#}"}[kind]
        end = self._text.find(closing, start) if kind == "{#" else self._closing(start, closing)
        if end < 0:
            raise _Broken(f'Line {self._line(start)}: "{kind}" is not closed by "{closing}".')
        return end + 2, self._text[start:end]

    def _closing(self, start: int, closing: str) -> int:
        depth, at = 0, start
        while (found := _INSIDE.search(self._text, at)) is not None:
            mark, at = found.group(), found.end()
            if mark in "\"'":
                return -1
            if depth == 0 and self._text.startswith(closing, found.start()):
                return found.start()
            depth += (mark == "{") - (mark == "}" and depth > 0)
        return -1

    def _add_text(self, start: int, end: int, trims_start: bool, trims_end: bool) -> None:
        text = self._text[start:end]
        text = text.lstrip() if trims_start else text
        text = text.rstrip() if trims_end else text
        if text:
            self._pieces.append(("text", text, 0))

    def _line(self, at: int) -> int:
        """The number of the line that an offset is in; offsets come in order, so each line is counted once."""
        counted, line = self._counted
        line += self._text.count("\n", counted, at)
        self._counted = (at, line)
        return line

    # Pieces to parts

    def _block(self, ends: tuple[str, ...], line: int) -> tuple[tuple[Part, ...], str, str]:
        """Parts up to one of the words `ends`; that word and what follows it."""
        parts: list[Part] = []
        while self._position < len(self._pieces):
            kind, content, at = self._pieces[self._position]
            self._position += 1
            if kind == "text":
                parts.append(Text(content))
            elif kind == "{{":
                parts.extend(self._output(content, at))
            else:
                word, rest = _STATEMENT.fullmatch(content).groups()  # type: ignore[union-attr]
                if word in ends:
                    return tuple(parts), word, rest
                parts.extend(self._statement(word, rest, at))
        if ends:
            raise _Broken(f"Line {line}: {{% {ends[-1]} %}} is missing.")
        return tuple(parts), "", ""

    def _statement(self, word: str, rest: str, line: int) -> list[Part]:
        match word:
            case "if" | "for":
                self._depth += 1
                if self._depth > _DEEPEST:
                    raise _Broken(f"Line {line}: the template nests deeper than {_DEEPEST} levels.")
                made = self._if(rest, line) if word == "if" else self._for(rest, line)
                self._depth -= 1
                return made
            case "set":
                return self._set(rest, line)
        raise _Broken(f'Line {line}: "{{% {word or rest.strip()[:20]} %}}" has no meaning here.')

    def _output(self, source: str, line: int) -> list[Part]:
        tree = self._tree(source, line)
        if tree is None:
            return []
        is_raw = isinstance(tree, Pipe) and tree.name == "raw" and not tree.arguments
        if is_raw and isinstance(tree, Pipe):
            tree = tree.value
        value = self._value(tree, line)
        return [Output(value, is_raw)] if value is not None else []

    def _if(self, source: str, line: int) -> list[Part]:
        branches: list[tuple[Value | None, tuple[Part, ...]]] = []
        condition = self._expression(source, line)
        while True:
            parts, word, rest = self._block(("elif", "elseif", "else", "endif"), line)
            branches.append((condition, parts))
            if word in ("elif", "elseif"):
                condition = self._expression(rest, line)
                continue
            if word == "else":
                branches.append((None, self._block(("endif",), line)[0]))
            return [If(tuple(branches))]

    def _for(self, source: str, line: int) -> list[Part]:
        match = _LOOP.fullmatch(source)
        if match is None or not is_name(match[1]):
            raise _Broken(f"Line {line}: a loop is written {{% for name in list %}}.")
        value = self._expression(match[2], line)
        parts, word, _ = self._block(("else", "endfor"), line)
        otherwise = self._block(("endfor",), line)[0] if word == "else" else ()
        return [For(match[1], value, parts, otherwise)] if value is not None else []

    def _set(self, source: str, line: int) -> list[Part]:
        match = _ASSIGNMENT.fullmatch(source)
        if match is None or not is_name(match[1]):
            raise _Broken(f"Line {line}: a value is named by {{% set name = value %}}.")
        value = self._expression(match[2], line)
        return [Set(match[1], value)] if value is not None else []

    # Expressions

    def _expression(self, source: str, line: int) -> Value | None:
        tree = self._tree(source, line)
        return self._value(tree, line) if tree is not None else None

    def _tree(self, source: str, line: int) -> Tree | None:
        try:
            return parse(source)
        except ExpressionError as error:
            self.faults.append(f"Line {line}: {error.message}")
            return None

    def _value(self, tree: Tree, line: int) -> Value | None:
        """A compiled expression, or None when the check finds faults in it."""
        before = len(self.faults)

        def report(level: str, code: str, message: str, at: int) -> None:
            if level == "error":
                self.faults.append(f"Line {line}: {message}")

        Checker(OpenScope(), report).type_of(tree)
        return Value(tree, line) if len(self.faults) == before else None
