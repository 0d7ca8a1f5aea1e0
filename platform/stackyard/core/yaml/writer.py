"""Writing: a printer of our own, since an export must be the same byte for byte with every version of a library."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from .scalars import plain_value

_WIDTH = 100
_STEP = 2
# Longest key that may stand before its colon without the mark `?` (YAML allows 1,024).
_KEY_LENGTH = 900
# What may stand unquoted: a subset of YAML's plain scalars, right in flow style and as a key …
_PLAIN_FLOW = re.compile(r"(?:[^\W\d]|[/$]|-(?=\w))(?:[\w./$+@()=-]|:(?=//)| (?=[\w./$+@()=-]))*\Z")
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
    if simple is not None and not _holds_map(value):
        return simple
    first, *rest = _lines(value, indent + _STEP, depth)
    return [f"{pad}- {first[indent + _STEP :]}", *rest]


def _holds_map(value: Any) -> bool:
    """Whether a list entry is a map of a map: what a line of a stack is, and best seen as."""
    if not isinstance(value, Mapping) or _expression(value) is not None:
        return False
    return any(isinstance(entry, Mapping) and _expression(entry) is None for entry in value.values())


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
    if plain.match(text) and isinstance(plain_value(text), str):
        return text
    return _quoted(text)


def _quoted(text: str) -> str:
    if _ESCAPED.search(text):
        return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
    return "'" + text.replace("'", "''") + "'"
