"""What can be done about a fault at a click: each fix is one change of the document at a path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stackyard.core.errors import Fault, Path

from .values import expression_of

# What `did_you_mean` says.
_MEANT = re.compile(r'Did you mean "([^"]+)"\?')
_THERE_IS = re.compile(r"There is: (.+)\.\Z")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_FIXES = 5
# Faults that go away with what they are about.
_REMOVABLE = frozenset({"unknown_parameter", "unknown_key", "no_result", "unreachable"})

Fix = dict[str, Any]
"""`{"do": "set", "path", "value"}`, `{"do": "rename", "path", "to"}` (a key) or `{"do": "remove", "path"}`; each with `name`,
what is offered (empty for `remove`)."""


def fixes_of(document: Mapping[str, Any], fault: Fault) -> list[Fix]:
    """The fixes of a fault, the likeliest first."""
    made = list(_replacements(document, fault))[:MAX_FIXES]
    if fault.code in _REMOVABLE:
        made.append({"do": "remove", "path": list(fault.path), "name": ""})
    if fault.code == "path_input" and fault.path == ("path",):
        made += _missing_input(document, fault)
    return made


def _missing_input(document: Mapping[str, Any], fault: Fault) -> list[Fix]:
    name = (re.search(r'no input "([^"]+)"', fault.message) or ["", ""])[1]
    there = document.get("inputs")
    if not name or not isinstance(there, dict):
        return []
    return [{"do": "set", "path": ["inputs", name], "value": {"type": "text"}, "name": name}]


def _replacements(document: Mapping[str, Any], fault: Fault) -> Iterator[Fix]:
    names = _offered(fault.message)
    value = _at(document, fault.path)
    source = expression_of(value)
    for name in names:
        if fault.column is not None and source is not None:
            text = _replaced(source, fault.column - 1, name)
            if text is not None:
                yield {"do": "set", "path": list(fault.path), "value": {"$expr": text}, "name": name}
        elif fault.path and f'"{fault.path[-1]}"' in fault.message:
            # The key itself is what is wrong: a parameter, a field of a record's data or of a condition.
            yield {"do": "rename", "path": list(fault.path), "to": name, "name": name}
        elif isinstance(value, str):
            sign = "-" if value[:1] == "-" and name[:1] != "-" else ""
            yield {"do": "set", "path": list(fault.path), "value": sign + name, "name": name}


def _offered(message: str) -> list[str]:
    meant = _MEANT.search(message)
    if meant is not None:
        return [meant[1]]
    there = _THERE_IS.search(message)
    return there[1].split(", ") if there is not None else []


def _replaced(source: str, at: int, name: str) -> str | None:
    """The expression with the word that begins at an offset (after a dot, a bracket or a `$`) replaced."""
    while at < len(source) and source[at] in '.["$ ':
        at += 1
    found = _WORD.match(source, at)
    return f"{source[:at]}{name}{source[found.end() :]}" if found is not None else None


def _at(value: Any, path: Path) -> Any:
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value
