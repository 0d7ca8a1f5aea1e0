"""The YAML-shaped form of a document and back: one pair of functions, so files and console mean the same.

Canonical `{"id": "l1", "step": "add_record", "as": "order", "params": {…}}` is spelled
`{"add_record": {…}, "as": "order"}`; the document's `lines` are spelled `stack`. An id that only says a
line's place in reading order is left out.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from stackyard.core.errors import Faults, Path, did_you_mean

from .document import FORMAT, blocks_of, generated_id, walk_lines, with_ids
from .step import Step

LINE_WORDS = ("as", "id", "note", "disabled", "v")


def to_spelling(document: Mapping[str, Any]) -> dict[str, Any]:
    """A canonical document as it is written in files: owner's keys, inputs, stack, response."""
    plain = copy.deepcopy(dict(document))
    for ordinal, (line, _, _) in enumerate(list(walk_lines(plain.get("lines"))), start=1):
        if line.get("id") == generated_id(ordinal):
            del line["id"]
    spelled: dict[str, Any] = {
        key: value for key, value in plain.items() if key not in ("format", "inputs", "lines", "response")
    }
    if plain.get("inputs"):
        spelled["inputs"] = plain["inputs"]
    spelled["stack"] = _spell_lines(plain.get("lines"))
    if plain.get("response") is not None:
        spelled["response"] = plain["response"]
    return spelled


def _spell_lines(lines: Any) -> Any:
    if not isinstance(lines, list):
        return lines
    return [_spell_line(line) for line in lines]


def _spell_line(line: Any) -> Any:
    if not isinstance(line, dict) or not isinstance(line.get("step"), str):
        return line
    for block, path in list(blocks_of(line, ())):
        _put(line, path, _spell_lines(block))
    spelled: dict[str, Any] = {line["step"]: line.get("params", {})}
    return {**spelled, **{word: line[word] for word in LINE_WORDS if line.get(word)}}


def _put(root: Any, path: Path, value: Any) -> None:
    for part in path[:-1]:
        root = root[part]
    root[path[-1]] = value


def from_spelling(data: Any, faults: Faults) -> dict[str, Any]:
    """A written document in canonical form, ids given. Faults about the lines' form carry written paths (`stack…`)."""
    if not isinstance(data, dict):
        faults.error((), "type", "A document is a map of keys such as inputs, stack and response.")
        return {"format": FORMAT, "inputs": {}, "lines": [], "response": None}
    plain = copy.deepcopy(data)
    document: dict[str, Any] = {"format": FORMAT}
    document.update(
        {key: value for key, value in plain.items() if key not in ("inputs", "stack", "response")}
    )
    if "lines" in plain:
        faults.error(("lines",), "unknown_key", 'There is no "lines" here. Did you mean "stack"?')
    if "inputs" in plain and plain["inputs"] is None:
        plain["inputs"] = {}
    document["inputs"] = plain.get("inputs", {})
    document["lines"] = _read_lines(plain.get("stack") or [], ("stack",), faults)
    document["response"] = plain.get("response")
    return with_ids(document)


def _read_lines(lines: Any, path: Path, faults: Faults) -> Any:
    if not isinstance(lines, list):
        faults.error(path, "type", "A stack is a list of lines.")
        return []
    read = [_read_line(line, (*path, number), faults) for number, line in enumerate(lines)]
    return [line for line in read if line is not None]


def _read_line(line: Any, path: Path, faults: Faults) -> dict[str, Any] | None:
    """One line; None (and a fault) when it is none."""
    if isinstance(line, str) and line in Step.all():
        line = {line: {}}
    if not isinstance(line, dict):
        faults.error(
            path, "line", "A line is a map with a step and its parameters, such as set_variable: {…}."
        )
        return None
    steps = [key for key in line if key not in LINE_WORDS]
    if len(steps) != 1:
        _report_step_count(line, steps, path, faults)
        return None
    step = steps[0]
    made: dict[str, Any] = {"id": line.get("id", ""), "step": step}
    made.update({word: line[word] for word in LINE_WORDS[2:] if word in line})
    if "as" in line:
        made["as"] = line["as"]
    made["params"] = line[step] if line[step] is not None else {}
    if isinstance(made["params"], dict):
        for block, block_path in list(blocks_of(made, ())):
            # In the written form a parameter stands under its step, not under `params`.
            _put(made, block_path, _read_lines(block, (*path, step, *block_path[1:]), faults))
    return made


def _report_step_count(line: dict[str, Any], steps: list[Any], path: Path, faults: Faults) -> None:
    if not steps:
        faults.error(path, "line", "This line has no step.")
        return
    known = [step for step in steps if step in Step.all()]
    if len(known) == 1:
        for word in steps:
            if word != known[0]:
                parameters = [p.name for p in Step.get(known[0]).parameters]
                indent = f" Indent it under {known[0]}." if word in parameters else ""
                hint = did_you_mean(str(word), LINE_WORDS)
                faults.error(
                    (*path, word), "unknown_key", f'A line has no "{word}" beside its step.{indent or hint}'
                )
        return
    faults.error(path, "line", f"A line has one step; this one has {', '.join(map(str, steps))}.")


def spelled_path(document: Mapping[str, Any], path: Path) -> Path:
    """Where a canonical path stands in the written form: `lines.0.params.where` → `stack.0.query_all_records.where`."""
    made: list[str | int] = []
    at: Any = document
    for number, part in enumerate(path):
        if number == 0 and part == "lines":
            made.append("stack")
        elif part == "params" and isinstance(at, dict) and isinstance(at.get("step"), str):
            made.append(at["step"])
        elif part == "step" and isinstance(at, dict) and "step" in at and number == len(path) - 1:
            made.append(str(at["step"]))
        else:
            made.append(part)
        at = _inside(at, part)
    return tuple(made)


def _inside(at: Any, part: str | int) -> Any:
    if isinstance(at, dict):
        return at.get(part)
    return at[part] if isinstance(at, list) and isinstance(part, int) and part < len(at) else None
