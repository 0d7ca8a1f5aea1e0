"""Text that people wrote, made fit for a document that machines read."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SENTENCE = re.compile(r"(.+?[.!?])(\s|\Z)", re.DOTALL)
_SUMMARY_LENGTH = 120


def encodable(text: str) -> str:
    """The same text with `?` for lone surrogates, which no UTF-8 can carry."""
    return text.encode("utf-8", "replace").decode("utf-8")


def clean(text: str) -> str:
    """Text for people: encodable and without control characters."""
    return _CONTROL.sub("", encodable(text))


def one_line(text: str) -> str:
    """Clean, with every stretch of white space as one blank."""
    return " ".join(clean(text).split())


def first_sentence(text: str) -> str:
    """The first sentence on one line, at most 120 characters."""
    flat = one_line(text)
    match = _SENTENCE.match(flat)
    sentence = match.group(1) if match else flat
    if len(sentence) <= _SUMMARY_LENGTH:
        return sentence
    return sentence[: _SUMMARY_LENGTH - 1].rstrip() + "…"
