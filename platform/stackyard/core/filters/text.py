"""Filters for plain text: trimming, case, parts, search. Positions count characters from 0."""

from __future__ import annotations

import re

from .. import types as t
from ..filter import Budget, filter
from ..guards import Refusal, weigh
from .values import PIECE, written

_FIRST_LETTERS = re.compile(r"(?<!\S)\S")


def folded(value: str) -> str:
    """Lower case with every character in its place, so that positions hold (`"İ".lower()` would be two long)."""
    lower = value.lower()
    if len(lower) == len(value):
        return lower
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in value)


@filter("text")
def trim(value: str, characters: str | None = None) -> str:
    """Blanks, or the characters given, taken off both ends.

    >>> "  Epic Battle  " | trim
    "Epic Battle"
    >>> "--a-b--" | trim("-")
    "a-b"
    """
    return value.strip(characters)


@filter("text")
def ltrim(value: str, characters: str | None = None) -> str:
    """Blanks, or the characters given, taken off the start.

    >>> "  Epic Battle" | ltrim
    "Epic Battle"
    """
    return value.lstrip(characters)


@filter("text")
def rtrim(value: str, characters: str | None = None) -> str:
    """Blanks, or the characters given, taken off the end.

    >>> "Epic Battle  " | rtrim
    "Epic Battle"
    """
    return value.rstrip(characters)


@filter("text")
def to_lower(value: str) -> str:
    """Letters in lower case.

    >>> "Epic Battle" | to_lower
    "epic battle"
    """
    return value.lower()


@filter("text")
def to_upper(value: str) -> str:
    """Letters in upper case.

    >>> "Epic Battle" | to_upper
    "EPIC BATTLE"
    """
    return value.upper()


@filter("text")
def capitalize(value: str) -> str:
    """The first letter of every word in upper case; the others stay as they are.

    >>> "epic battle" | capitalize
    "Epic Battle"
    """
    return _FIRST_LETTERS.sub(lambda match: match[0].upper(), value)


@filter("text")
def substr(value: str, start: int, length: int | None = None) -> str:
    """A part of the text: from a position, so many characters or all the rest; negative ones count from the end.

    >>> "Epic Battle" | substr(5, 6)
    "Battle"
    >>> "Epic Battle" | substr(-6)
    "Battle"
    """
    return value[part(len(value), start, length)]


def part(whole: int, start: int, length: int | None) -> slice:
    """The slice of something `whole` long; a negative length leaves that many out at the end."""
    begin = max(whole + start, 0) if start < 0 else start
    if length is None:
        return slice(begin, whole)
    end = begin + length if length >= 0 else whole + length
    return slice(begin, max(end, begin))


@filter("text", result=lambda _given: t.list_of(t.TEXT))
def split(budget: Budget, value: str, separator: str) -> list[str]:
    """The pieces of a text between separators; with "" for the separator, its characters.

    >>> "Epic Battle" | split(" ")
    ["Epic", "Battle"]
    >>> "abc" | split("")
    ["a", "b", "c"]
    """
    pieces = value.count(separator) + 1 if separator else len(value)
    budget.room(pieces * PIECE + len(value))
    return value.split(separator) if separator else list(value)


@filter("text")
def join(budget: Budget, value: list[object], separator: str = "") -> str:
    """The values of a list as one text, with the separator between them; null counts as "".

    >>> ["Epic", "Battle"] | join(" ")
    "Epic Battle"
    >>> [1, null, true] | join("-")
    "1--true"
    """
    budget.room(len(separator) * len(value))
    texts = [written(budget, part) for part in value]
    budget.room(sum(map(len, texts)))
    return separator.join(texts)


@filter("text")
def concat(budget: Budget, value: object, other: object, separator: str = "") -> str:
    """Two values as one text, with the separator between them.

    >>> "Hello" | concat("World!", " - ")
    "Hello - World!"
    """
    joined = f"{written(budget, value)}{separator}{written(budget, other)}"
    budget.room(weigh(joined))
    return joined


@filter("text")
def replace(budget: Budget, value: str, search: str, replacement: str) -> str:
    """The text with every occurrence of a phrase replaced by another.

    >>> "Hella World" | replace("o", "a")
    "Hella Warld"
    """
    if not search:
        raise Refusal('expected a phrase to look for, got ""')
    budget.room(len(value) + value.count(search) * max(len(replacement) - len(search), 0))
    return value.replace(search, replacement)


@filter("text")
def strlen(value: str) -> int:
    """How many characters the text has.

    >>> "Epic Battle" | strlen
    11
    """
    return len(value)


@filter("text")
def index(value: str, search: str) -> int | None:
    """The position at which a phrase first stands in the text, or null.

    >>> "Epic Battle" | index("Battle")
    5
    >>> "Epic Battle" | index("battle")
    null
    """
    found = value.find(search)
    return found if found >= 0 else None


@filter("text")
def iindex(value: str, search: str) -> int | None:
    """The position at which a phrase first stands in the text, or null; upper and lower case are the same.

    >>> "Epic Battle" | iindex("battle")
    5
    """
    found = folded(value).find(folded(search))
    return found if found >= 0 else None


@filter("text")
def starts_with(value: str, search: str) -> bool:
    """Whether the text begins with a phrase.

    >>> "Epic Battle" | starts_with("Epic")
    true
    """
    return value.startswith(search)


@filter("text")
def istarts_with(value: str, search: str) -> bool:
    """Whether the text begins with a phrase; upper and lower case are the same.

    >>> "Epic Battle" | istarts_with("epic")
    true
    """
    return folded(value).startswith(folded(search))


@filter("text")
def ends_with(value: str, search: str) -> bool:
    """Whether the text ends with a phrase.

    >>> "Epic Battle" | ends_with("Battle")
    true
    """
    return value.endswith(search)


@filter("text")
def iends_with(value: str, search: str) -> bool:
    """Whether the text ends with a phrase; upper and lower case are the same.

    >>> "Epic Battle" | iends_with("battle")
    true
    """
    return folded(value).endswith(folded(search))


@filter("text")
def contains(value: str, search: str) -> bool:
    """Whether a phrase stands in the text.

    >>> "Epic Battle" | contains("Battle")
    true
    """
    return search in value


@filter("text")
def icontains(value: str, search: str) -> bool:
    """Whether a phrase stands in the text; upper and lower case are the same.

    >>> "Epic Battle" | icontains("battle")
    true
    """
    return folded(search) in folded(value)
