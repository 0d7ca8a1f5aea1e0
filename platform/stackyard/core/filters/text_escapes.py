"""Filters that take characters for what they mean elsewhere: escapes, HTML tags, accents."""

from __future__ import annotations

import json
import re
import unicodedata

from ..filter import Budget, filter
from ..guards import Refusal
from .text import folded

_SLASHED = str.maketrans({"'": "\\'", '"': '\\"', "\\": "\\\\", "\0": "\\0"})
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}
_ACCENTS = re.compile("[\u0300-\u036f]")
# Letters that Unicode does not take apart into a letter and an accent.
_LETTERS = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D"}
    | {"ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ł": "l", "Ł": "L", "ħ": "h", "Ħ": "H"}
)
_UNSEEN = ("script", "style")
_QUOTED = re.compile("=[ \t\r\n]*([\"'])")


@filter("text")
def addslashes(value: str) -> str:
    """A backslash before every quotation mark and backslash.

    >>> "he said 'Hi!'" | addslashes
    "he said \\\\'Hi!\\\\'"
    """
    return value.translate(_SLASHED)


@filter("text")
def text_escape(value: str) -> str:
    """Line breaks, tabs, quotation marks and backslashes written as they are within quotation marks.

    >>> "a\\tb" | text_escape
    "a\\\\tb"
    """
    return json.dumps(value, ensure_ascii=False)[1:-1]


@filter("text")
def escape(value: str) -> str:
    """The same as `text_escape`.

    >>> "two\\nlines" | escape
    "two\\\\nlines"
    """
    return json.dumps(value, ensure_ascii=False)[1:-1]


@filter("text")
def text_unescape(value: str) -> str:
    """Escapes such as those `text_escape` writes turned back into the characters they mean.

    >>> "a\\\\tb" | text_unescape | strlen
    3
    """
    text = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _ESCAPED.get(m[2], m[2]), value)
    try:
        # Two halves of a pair, each escaped, are one character.
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise Refusal("the text holds half of a character (a lone surrogate)") from None


@filter("text")
def unaccent(value: str) -> str:
    """Letters without their accents.

    >>> "études à Malmö, Straße" | unaccent
    "etudes a Malmo, Strasse"
    """
    if value.isascii():
        return value
    apart = unicodedata.normalize("NFD", value.translate(_LETTERS))
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart))


@filter("text")
def strip_html(budget: Budget, value: str) -> str:
    """The text of a piece of HTML: tags, comments, scripts and styles are left out.

    It makes text readable, not HTML harmless: what is left may hold `&lt;` and is to be escaped again.

    >>> "<p>Epic <b>Battle</b></p>" | strip_html
    "Epic Battle"
    """
    budget.room(len(value))
    seen: list[str] = []
    lower = folded(value)
    at = 0
    while (tag := value.find("<", at)) >= 0:
        budget.spend(1)
        seen.append(value[at:tag])
        at = _after_tag(budget, value, lower, tag)
        if at == tag:
            seen.append("<")
            at += 1
    seen.append(value[at:])
    return "".join(seen)


def _after_tag(budget: Budget, value: str, lower: str, tag: int) -> int:
    """Where the text goes on after the tag at `tag`; `tag` itself when none begins there; the end when none ends.

    Every search goes on from where the last one ended, so that the whole is linear.
    """
    if value.startswith("<!--", tag):
        return _behind(value, "-->", tag + 4)
    if not (lower[tag + 1 : tag + 2].isalpha() or value[tag + 1 : tag + 2] in ("/", "!", "?")):
        return tag
    end = _tag_end(budget, value, tag + 1)
    for name in _UNSEEN:
        if lower.startswith(name, tag + 1) and not lower[tag + 1 + len(name) : tag + 2 + len(name)].isalnum():
            close = lower.find(f"</{name}", end)
            return len(value) if close < 0 else _behind(value, ">", close)
    return end


def _tag_end(budget: Budget, value: str, at: int) -> int:
    """Behind the `>` that ends a tag; one within quotation marks does not."""
    end = value.find(">", at)
    while end >= 0:
        quote = _QUOTED.search(value, at, end)
        if quote is None:
            return end + 1
        budget.spend(1)
        at = _behind(value, quote[1], quote.end())
        if at > end:
            end = value.find(">", at)
    return len(value)


def _behind(value: str, mark: str, at: int) -> int:
    found = value.find(mark, at)
    return len(value) if found < 0 else found + len(mark)
