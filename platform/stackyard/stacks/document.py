"""The form of a document: what a stack's canonical JSON may look like, before any name in it is looked up.

    {"format": 1, "inputs": {…}, "lines": [{"id", "step", "as"?, "params", "note"?, "disabled"?, "v"?}], "response": …}

An endpoint's document carries `name, method, path, description, auth` and its limits beside these.
Nothing here imports a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stackyard.core.errors import Faults, Path, did_you_mean

from .step import Step
from .values import misspelt_marks

FORMAT = 1
MAX_LINES = 2_000
MAX_DEPTH = 20
STACK_KEYS = ("format", "inputs", "lines", "response")
ENDPOINT_KEYS = (
    "name",
    "method",
    "path",
    "description",
    "auth",
    "tags",
    "body",
    "trace",
    "data_sources",
    "limit_per_second",
    "limit_per_caller",
    "request_bytes",
    "response_bytes",
    "timeout_seconds",
)
FUNCTION_KEYS = ("name", "description")
LINE_KEYS = ("id", "step", "as", "params", "note", "disabled", "v")


def empty_document() -> dict[str, Any]:
    """A document that answers null."""
    return {"format": FORMAT, "inputs": {}, "lines": [], "response": None}


def generated_id(ordinal: int) -> str:
    """The id of a line that was written without one: its place in reading order (1-based)."""
    return f"l{ordinal}"


def blocks_of(line: Mapping[str, Any], path: Path) -> Iterator[tuple[Any, Path]]:
    """The nested stacks of a line with their paths; none for a kind that is not known here."""
    kind = Step.all().get(str(line.get("step")))
    params = line.get("params")
    if kind is None or not isinstance(params, dict):
        return
    for parameter in kind.parameters:
        yield from parameter.blocks(params.get(parameter.name), (*path, "params", parameter.name))


def walk_lines(
    lines: Any, path: Path = ("lines",), depth: int = 0
) -> Iterator[tuple[dict[str, Any], Path, int]]:
    """Every line in reading order with its path and depth; what is no line is passed over."""
    if not isinstance(lines, list) or depth > MAX_DEPTH:
        return
    for number, line in enumerate(lines):
        if isinstance(line, dict):
            yield line, (*path, number), depth
            for block, block_path in blocks_of(line, (*path, number)):
                yield from walk_lines(block, block_path, depth + 1)


def with_ids(document: dict[str, Any]) -> dict[str, Any]:
    """Give an id to every line that has none; the document is changed in place and returned."""
    # An id that is no text stays for the check to report.
    taken = {
        line["id"] for line, _, _ in walk_lines(document.get("lines")) if isinstance(line.get("id"), str)
    }
    for ordinal, (line, _, _) in enumerate(walk_lines(document.get("lines")), start=1):
        if not line.get("id"):
            made = generated_id(ordinal)
            while made in taken:
                made += "x"
            taken.add(made)
            line["id"] = made
    return document


def check_form(document: Any, faults: Faults, extra_keys: tuple[str, ...] = ()) -> bool:
    """Report everything wrong with the form; whether names in it may be looked up at all."""
    if not isinstance(document, dict):
        faults.error((), "type", "A document is an object with inputs, lines and response.")
        return False
    before = len(faults.errors)
    known = (*STACK_KEYS, *extra_keys)
    for key in document:
        if key not in known:
            faults.error((key,), "unknown_key", f'There is no "{key}" here.{did_you_mean(key, known)}')
    if document.get("format", FORMAT) != FORMAT:
        faults.error(
            ("format",), "format", f"This document has format {document['format']!r}; this version reads 1."
        )
    if not isinstance(document.get("inputs", {}), dict):
        faults.error(("inputs",), "type", "The inputs are a map of names to their types.")
    _check_lines(document.get("lines", []), ("lines",), faults, 0)
    _check_count_and_ids(document, faults)
    _check_marks(document.get("response"), ("response",), faults, None)
    return len(faults.errors) == before


def _check_lines(lines: Any, path: Path, faults: Faults, depth: int) -> None:
    if not isinstance(lines, list):
        faults.error(path, "type", "A stack is a list of lines.")
        return
    if depth > MAX_DEPTH:
        faults.error(path, "depth", f"Stacks nest at most {MAX_DEPTH} deep.")
        return
    for number, line in enumerate(lines):
        _check_line(line, (*path, number), faults, depth)


def _check_line(line: Any, path: Path, faults: Faults, depth: int) -> None:
    if not isinstance(line, dict) or not isinstance(line.get("step"), str):
        faults.error(path, "line", "A line is an object with a step.")
        return
    line_id = str(line.get("id", ""))
    for key in line:
        if key not in LINE_KEYS:
            hint = did_you_mean(key, LINE_KEYS)
            faults.error((*path, key), "unknown_key", f'A line has no "{key}".{hint}', line_id=line_id)
    for key, wanted, words in (
        ("id", str, "a text"),
        ("as", str, "a name"),
        ("note", str, "a text"),
        ("disabled", bool, "true or false"),
        ("params", dict, "a map of parameters"),
    ):
        if key in line and not isinstance(line[key], wanted):
            faults.error((*path, key), "type", f'"{key}" is {words}.', line_id=line_id)
    kind = Step.all().get(line["step"])
    if kind is None:
        hint = did_you_mean(line["step"], Step.all())
        faults.error(
            (*path, "step"), "unknown_step", f'There is no step "{line["step"]}".{hint}', line_id=line_id
        )
        return
    if line.get("v", 1) != kind.version:
        faults.error(
            (*path, "v"), "version", f'"{line["step"]}" has no version {line["v"]!r} here.', line_id=line_id
        )
    _check_parameters(kind, line, path, faults, depth)


def _check_parameters(kind: type[Step], line: dict[str, Any], path: Path, faults: Faults, depth: int) -> None:
    line_id = str(line.get("id", ""))
    params = line.get("params", {})
    if not isinstance(params, dict):
        return
    known = [p.name for p in kind.parameters]
    for name in params:
        if name not in known:
            hint = did_you_mean(name, known)
            message = f'"{line["step"]}" has no parameter "{name}".{hint}'
            faults.error((*path, "params", name), "unknown_parameter", message, line_id=line_id)
    for parameter in kind.parameters:
        place = (*path, "params", parameter.name)
        if parameter.required and parameter.name not in params:
            message = f'"{line["step"]}" needs "{parameter.name}".'
            faults.error(place, "missing_parameter", message, line_id=line_id)
            continue
        blocks = list(parameter.blocks(params.get(parameter.name), place))
        for block, block_path in blocks:
            _check_lines(block, block_path, faults, depth + 1)
        if not blocks:
            _check_marks(params.get(parameter.name), place, faults, line_id)


def _check_marks(value: Any, path: Path, faults: Faults, line_id: str | None) -> None:
    for place, mark in misspelt_marks(value, path):
        faults.error(
            place,
            "mark",
            f'"{mark}" stands alone in its map and holds {"a text" if mark == "$expr" else "any value"}; '
            'write data that has such a key as {"$literal": …}.',
            line_id=line_id,
        )


def _check_count_and_ids(document: dict[str, Any], faults: Faults) -> None:
    seen: set[str] = set()
    count = 0
    for line, path, _ in walk_lines(document.get("lines", [])):
        count += 1
        line_id = line.get("id")
        if isinstance(line_id, str) and line_id:
            if line_id in seen:
                faults.error(
                    (*path, "id"), "doubled_id", f'Two lines have the id "{line_id}".', line_id=line_id
                )
            seen.add(line_id)
    if count > MAX_LINES:
        faults.error(
            ("lines",), "too_long", f"A stack has at most {MAX_LINES:,} lines; this one has {count:,}."
        )
