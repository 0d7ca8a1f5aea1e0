"""Text to tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .tree import ExpressionError

MAX_LENGTH = 20_000

_PATTERN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<number>(?:\d+\.\d+|\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>\$?[A-Za-z_][A-Za-z0-9_]*)
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<symbol>=>|==|!=|<=|>=|&&|\|\||\?\?|[-+*/%~<>!?:|.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "/": "/"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_WORDS = {"&&": "and", "||": "or", "!": "not"}


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is number, name, text, symbol or end; `value` the number, the text or the symbol itself."""

    kind: str
    value: int | float | str
    at: int


def tokens(source: str) -> list[Token]:
    """All tokens and a closing `end`. ExpressionError at the first character that fits nothing."""
    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"An expression has at most {MAX_LENGTH:,} characters.", 0)
    found: list[Token] = []
    at = 0
    while at < len(source):
        match = _PATTERN.match(source, at)
        if match is None:
            raise ExpressionError(_complaint(source, at), at)
        if match.lastgroup != "space":
            found.append(_token(match, at))
        at = match.end()
    found.append(Token("end", "", len(source)))
    return found


def _complaint(source: str, at: int) -> str:
    if source[at] in "\"'":
        return "This text is not closed: put the same quotation mark at its end."
    if source[at] == "=":
        return 'A single "=" has no meaning here: compare with "==".'
    if source[at] == "&":
        return 'Join conditions with "and"; join texts with "~".'
    return f'"{source[at]}" has no meaning in an expression.'


def _token(match: re.Match[str], at: int) -> Token:
    text = match.group()
    match match.lastgroup:
        case "number":
            return Token("number", _number(text, at), at)
        case "text":
            return Token("text", _unquote(text, at), at)
        case "name":
            return Token("name", text.removeprefix("$"), at)
        case _:
            word = _WORDS.get(text)
            return Token("name", word, at) if word else Token("symbol", text, at)


def _number(text: str, at: int) -> int | float:
    if text.isdigit():
        if len(text) > 19 or int(text) > 2**63 - 1:
            raise ExpressionError("A whole number lies between -2^63 and 2^63-1.", at)
        return int(text)
    number = float(text)
    if number == float("inf"):
        raise ExpressionError("This number is too large.", at)
    return number


def _unquote(text: str, at: int) -> str:
    def replace(match: re.Match[str]) -> str:
        escape = match.group(1)
        if escape[0] == "u" and len(escape) == 5:
            return chr(int(escape[1:], 16))
        if escape not in _ESCAPES:
            raise ExpressionError(
                f"\\{escape} is not an escape: write \\\\ for a backslash.", at + match.start() + 1
            )
        return _ESCAPES[escape]

    plain = _ESCAPE.sub(replace, text[1:-1])
    try:
        # A pair of \u escapes may spell one character beyond U+FFFF; a lone half is no text at all.
        plain = plain.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ExpressionError("This text holds half of a character (a lone surrogate).", at) from None
    if "\0" in plain:
        raise ExpressionError("A text cannot hold the character NUL.", at)
    return plain
