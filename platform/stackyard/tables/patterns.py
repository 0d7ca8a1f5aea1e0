"""Patterns of $like and its relatives: `%` any text, `_` one character, `\\` before either takes it as it is."""

from __future__ import annotations

from .field_type import refuse


def like(text: str) -> str:
    """A pattern as it was given, checked: a lone backslash at the end means nothing."""
    trailing = len(text) - len(text.rstrip("\\"))
    if trailing % 2:
        raise refuse("pattern", "must not end with a single backslash")
    return text


def escaped(text: str) -> str:
    """Text as a pattern that matches just it."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def contains(text: str) -> str:
    """The pattern for text anywhere."""
    return f"%{escaped(text)}%"


def starts_with(text: str) -> str:
    """The pattern for text at the start."""
    return f"{escaped(text)}%"


def ends_with(text: str) -> str:
    """The pattern for text at the end."""
    return f"%{escaped(text)}"


def as_glob(pattern: str) -> str:
    """A $like pattern for SQLite's GLOB, which is case-sensitive where its LIKE is not."""
    parts = []
    characters = iter(pattern)
    for character in characters:
        if character == "%":
            parts.append("*")
        elif character == "_":
            parts.append("?")
        else:
            literal = next(characters) if character == "\\" else character
            parts.append(f"[{literal}]" if literal in "*?[" else literal)
    return "".join(parts)
