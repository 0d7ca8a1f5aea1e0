"""Filters for regular expressions, on RE2 (https://github.com/google/re2/wiki/Syntax).

RE2 has no backreferences and no look-around, and takes time linear in the text. Linear still is too long
for a huge expression on a huge text, so the product of the two is limited, and so is the time that all
matches of one call may take.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import re2

from .. import types as t
from ..filter import Budget, filter
from ..guards import Refusal, show
from .values import PIECE

LONGEST_PATTERN = 1_000
# About 10 ns a step at worst: one search ends within 2 s, all matches of a call within 2 s more.
_MOST_WORK = 200_000_000
_MOST_SECONDS = 2.0
_MEMORY = 4_000_000
_QUOTED = str.maketrans({special: f"\\{special}" for special in r"\.+*?()|[]{}^$"})
_REFERENCE = re.compile(r"\$(?:(\d{1,2})|\{(\d{1,2})\}|(\$))")


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """The pattern ready to search with; a Refusal with RE2's own words when it is none."""
    if len(pattern) > LONGEST_PATTERN:
        raise Refusal(f"a pattern has at most {LONGEST_PATTERN:,} characters, this one {len(pattern):,}")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else error.args[0]
        raise Refusal(
            f"{show(pattern)} is not a regular expression: {said}",
            "Backreferences and look-around are not there (RE2).",
        ) from None
    except UnicodeEncodeError:
        raise Refusal("the pattern holds half of a character (a lone surrogate)") from None


def _searched(pattern: str, value: str) -> Any:
    regex = compiled(pattern)
    if len(value) * regex.programsize > _MOST_WORK:
        raise Refusal(f"the pattern is too large for a text of {len(value):,} characters")
    return regex


def _search(pattern: str, value: str) -> Any:
    try:
        return _searched(pattern, value).search(value)
    except UnicodeEncodeError:
        raise Refusal("the text holds half of a character (a lone surrogate)") from None


def _matches(budget: Budget, pattern: str, value: str) -> Iterator[Any]:
    regex = _searched(pattern, value)
    end = time.monotonic() + _MOST_SECONDS
    try:
        for match in regex.finditer(value):
            budget.spend(1)
            yield match
            if time.monotonic() > end:
                raise Refusal(f"the search took longer than {_MOST_SECONDS:g} seconds")
    except UnicodeEncodeError:
        raise Refusal("the text holds half of a character (a lone surrogate)") from None


@filter("text")
def regex_matches(value: str, pattern: str) -> bool:
    """Whether a regular expression matches anywhere in the text; `^` and `$` tie it to the start and the end.

    >>> "abbbbc" | regex_matches("^a.*c$")
    true
    >>> "ABC" | regex_matches("(?i)b")
    true
    """
    return _search(pattern, value) is not None


@filter("text", result=lambda _given: t.list_of(t.TEXT.or_null()))
def regex_get_first_match(value: str, pattern: str) -> list[str | None]:
    """The first match: its text, then what each group holds; an empty list when nothing matches.

    >>> "test@example.com" | regex_get_first_match("(\\\\w+)@(\\\\w+)")
    ["test@example", "test", "example"]
    >>> "abc" | regex_get_first_match("x")
    []
    """
    match = _search(pattern, value)
    return [] if match is None else [match.group(), *match.groups()]


@filter("text", result=lambda _given: t.list_of(t.list_of(t.TEXT.or_null())))
def regex_get_all_matches(budget: Budget, value: str, pattern: str) -> list[list[str | None]]:
    """Every match as a list: its text, then what each group holds.

    >>> "a1 b2" | regex_get_all_matches("([a-z])([0-9])")
    [["a1", "a", "1"], ["b2", "b", "2"]]
    """
    found = []
    for match in _matches(budget, pattern, value):
        groups = [match.group(), *match.groups()]
        budget.room(sum(PIECE + len(group or "") for group in groups))
        found.append(groups)
    return found


@filter("text")
def regex_replace(budget: Budget, value: str, pattern: str, replacement: str) -> str:
    """The text with every match replaced; `$1` stands for the first group, `$0` for the match, `$$` for a dollar.

    >>> "Hello   World" | regex_replace("\\\\s+", "-")
    "Hello-World"
    >>> "Doe, Jane" | regex_replace("(\\\\w+), (\\\\w+)", "$2 $1")
    "Jane Doe"
    """
    parts = _template(replacement, compiled(pattern).groups)
    pieces = []
    end = 0
    for match in _matches(budget, pattern, value):
        made = "".join(part if isinstance(part, str) else match.group(part) or "" for part in parts)
        pieces += [value[end : match.start()], made]
        budget.room(len(pieces[-2]) + len(made) + PIECE)
        end = match.end()
    budget.room(len(value) - end)
    return "".join(pieces) + value[end:]


@lru_cache(maxsize=256)
def _template(replacement: str, groups: int) -> tuple[str | int, ...]:
    parts: list[str | int] = []
    end = 0
    for match in _REFERENCE.finditer(replacement):
        parts.append(replacement[end : match.start()])
        end = match.end()
        if match[3]:
            parts.append("$")
            continue
        group = int(match[1] or match[2])
        if group > groups:
            raise Refusal(f"the replacement asks for group {group}, the pattern has {groups}")
        parts.append(group)
    return (*parts, replacement[end:])


@filter("text")
def regex_quote(value: str) -> str:
    """The text with its special characters escaped, so that a pattern finds it as it is.

    >>> "Hello. How are you?" | regex_quote
    "Hello\\\\. How are you\\\\?"
    """
    return value.translate(_QUOTED)
