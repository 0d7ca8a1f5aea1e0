"""Lines of a stack become a function of their own: what they read is its input, what is used after them its response."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import Problem
from stackyard.core.names import RESERVED

from .document import blocks_of, walk_lines
from .parameters import NewName
from .renaming import input_members, places_of, renamed_source, rewritten_lines
from .step import Step
from .values import sources_in

_LEAVES = {"return": (), "break": ("for", "for_each", "while"), "continue": ("for", "for_each", "while")}
_SIMPLE = ("text", "int", "float", "decimal", "bool", "date", "timestamp")


@dataclass
class _Use:
    """What lines do with names: read, give, change a part of; and what they read of `input`."""

    sources: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def reads(self, name: str) -> bool:
        """Whether an expression reads the variable."""
        return any(list(places_of(source, name)) for source in self.sources)


def extract_function(
    document: dict[str, Any], ids: Sequence[str], name: str, types: Mapping[str, t.Type]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The function's document, and the stack's with a call where the lines `ids` stood. `types` are the names in sight
    where the first of them begins. Problem `INVALID_INPUT` for lines that are not one after another, or that leave the stack."""
    made = copy.deepcopy(document)
    block, start, lines = _chosen(made, set(ids))
    _refuse_leaving(lines)
    inside = _use_of(lines)
    del block[start : start + len(lines)]
    around = _use_of(made.get("lines"))
    around.sources += sources_in(made.get("response"))
    outer = [one for one in types if one not in RESERVED and (inside.reads(one) or one in inside.changed)]
    specs, given = _passed_inputs(document, inside)
    local = [one for one in outer if one in inside.changed or one in inside.given]
    begin: list[dict[str, Any]] = []
    for one in outer:
        as_input = _free(one, specs)
        specs[as_input], given[as_input] = _spec(types[one]), {"$expr": one}
        if one in local:
            value = {"$expr": f"input.{as_input}"}
            begin.append({"step": "set_variable", "params": {"name": one, "value": value}})
        else:
            rewritten_lines(lines, partial(renamed_source, old=one, new=f"input.{as_input}"))
    results = [one for one in dict.fromkeys([*inside.given, *inside.changed]) if around.reads(one)]
    response: Any = {one: {"$expr": one} for one in results}
    if len(results) < 2:
        response = {"$expr": results[0]} if results else None
    function = {"name": name, "inputs": specs, "lines": [*begin, *lines], "response": response}
    taken = {*types, *inside.given, *around.given}
    block[start:start] = _calls(name, given, results, inside.changed, taken)
    return function, made


def _chosen(document: dict[str, Any], ids: set[str]) -> tuple[list[Any], int, list[dict[str, Any]]]:
    """The block the lines stand in, where they begin, and they."""
    for block in _blocks(document.get("lines")):
        at = [n for n, line in enumerate(block) if isinstance(line, dict) and line.get("id") in ids]
        if at:
            if len(at) != len(ids) or at[-1] - at[0] + 1 != len(at):
                break
            return block, at[0], block[at[0] : at[-1] + 1]
    raise Problem("INVALID_INPUT", "Choose steps that stand one after another in the same block.")


def _blocks(lines: Any) -> Iterator[list[Any]]:
    if isinstance(lines, list):
        yield lines
        for line in lines:
            if isinstance(line, dict):
                for block, _ in blocks_of(line, ()):
                    yield from _blocks(block)


def _refuse_leaving(lines: Any, loops: tuple[str, ...] = ()) -> None:
    """Problem for a line that would leave more than the function: `return`, or the `break` of a loop outside."""
    for line in lines if isinstance(lines, list) else []:
        if not isinstance(line, dict):
            continue
        step = str(line.get("step"))
        if step in _LEAVES and not set(_LEAVES[step]) & set(loops):
            label = Step.get(step).label
            raise Problem(
                "INVALID_INPUT",
                f'"{label}" among these steps leaves the stack around them.',
                suggestion="Choose the steps without it.",
            )
        for block, _ in blocks_of(line, ()):
            _refuse_leaving(block, (*loops, step))


def _use_of(lines: Any) -> _Use:
    use = _Use(sources=list(sources_in(lines)))
    for line, _, _ in walk_lines(lines):
        kind, params = Step.all().get(str(line.get("step"))), line.get("params")
        if isinstance(line.get("as"), str):
            use.given.append(line["as"])
        has_blocks = any(True for _ in blocks_of(line, ()))
        for parameter in kind.parameters if kind is not None and isinstance(params, dict) else ():
            value = params.get(parameter.name, parameter.default)  # type: ignore[union-attr]
            if isinstance(parameter, NewName) and not has_blocks and isinstance(value, str):
                use.given.append(value)
            elif parameter.shown_as == "path" and isinstance(value, str):
                use.sources.append(value)
                use.changed.append(value.partition(".")[0].partition("[")[0].strip())
    return use


def _passed_inputs(document: Mapping[str, Any], use: _Use) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs of the stack that lines read: as inputs of the function, and as values given to it."""
    inputs = document.get("inputs")
    if not isinstance(inputs, dict):
        return {}, {}
    members = {one: sum(len(input_members(source, one)) for source in use.sources) for one in inputs}
    reads = sum(len(list(places_of(source, "input"))) for source in use.sources)
    passed = [one for one in inputs if members[one] or reads > sum(members.values())]
    specs = {one: _without_place(inputs[one]) for one in passed}
    return specs, {one: {"$expr": f"input.{one}"} for one in passed}


def _without_place(spec: Any) -> Any:
    return {key: part for key, part in spec.items() if key != "in"} if isinstance(spec, dict) else spec


def _spec(type_: t.Type) -> dict[str, Any]:
    """A value's type as an input; what inputs have no word for is JSON."""
    if type_.name in _SIMPLE:
        return {"type": type_.name, **({"nullable": True} if type_.nullable else {})}
    return {"type": "json", "nullable": True}


def _calls(
    name: str, given: dict[str, Any], results: list[str], changed: list[str], taken: set[str]
) -> list[dict[str, Any]]:
    """The call, and lines that give its results the names they had."""
    line: dict[str, Any] = {"step": "call_function", "params": {"function": name, "input": given}}
    if len(results) == 1 and results[0] not in changed:
        return [{**line, "as": results[0]}]
    if not results:
        return [line]
    whole = _free("result", taken)
    lines = [{**line, "as": whole}]
    for one in results:
        value = {"$expr": whole if len(results) == 1 else f"{whole}.{one}"}
        if one in changed:
            lines.append({"step": "update_variable", "params": {"path": one, "value": value}})
        else:
            lines.append({"step": "set_variable", "params": {"name": one, "value": value}})
    return lines


def _free(wished: str, taken: Any) -> str:
    name, number = wished, 2
    while name in taken:
        name, number = f"{wished}_{number}", number + 1
    return name
