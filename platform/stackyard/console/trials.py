"""Trials: run a document from the editor and show what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from stackyard.core.errors import Problem, problem_body
from stackyard.core.jsonout import encode
from stackyard.core.principal import Principal
from stackyard.stacks.document import walk_lines
from stackyard.stacks.execution import RequestFacts
from stackyard.stacks.trial import try_document

from .owners import StackOwner
from .samples import filled_path, read_sample

SHOWN_CHARACTERS = 100_000


@dataclass(slots=True)
class TracedLine:
    """One line of the run: its place in the stack, what it does, how often, how long, the value it left."""

    number: int
    step: str
    entered: int
    milliseconds: float
    failed: bool
    value: str = ""
    debug: list[str] = field(default_factory=list)
    queries: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Trial:
    """What the panel shows. `status` is None when the run did not begin, because the inputs could not be read."""

    status: int | None
    body: str
    milliseconds: float = 0.0
    bytes: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    stopped: bool = False
    kept: bool = False
    lines: list[TracedLine] = field(default_factory=list)


def trial_of(
    owner: StackOwner, document: dict[str, Any], sample: str, user: Any, keep_changes: bool, source: str
) -> Trial:
    """Run a document with sample inputs (JSON or YAML text of a map) as the person at the console."""
    try:
        inputs = read_sample(sample)
        principal = Principal("builder", user.pk, owner.workspace.pk, frozenset({"*"}), label=str(user))
        run = try_document(
            owner.workspace,
            owner.as_called(document),
            inputs,
            principal=principal,
            request=_request(owner, document, inputs),
            keep_changes=keep_changes,
            source=source,
        )
    except Problem as problem:
        return Trial(None, problem.message)
    value = problem_body(run.problem, "trial") if run.problem is not None else run.value
    raw = encode(value)
    return Trial(
        status=run.status,
        body=_pretty(raw),
        milliseconds=run.seconds * 1000,
        bytes=len(raw),
        headers=run.headers,
        stopped=run.stopped,
        kept=run.kept,
        lines=_traced(document, run.lines),
    )


def _request(owner: StackOwner, document: dict[str, Any], inputs: dict[str, Any]) -> RequestFacts | None:
    """What an endpoint's stack sees as `request`: the address it would be called at, without headers."""
    if owner.kind != "endpoint":
        return None
    return RequestFacts(str(document.get("method")), filled_path(document, inputs), {}, {})


def _pretty(raw: bytes) -> str:
    text = (
        json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
        if len(raw) <= SHOWN_CHARACTERS
        else raw.decode()
    )
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _traced(document: dict[str, Any], traced: list[dict[str, Any]]) -> list[TracedLine]:
    """Lines of functions that were called are not in this document: they stand without a number."""
    places = {
        line.get("id"): (number, str(line.get("step")))
        for number, (line, _, _) in enumerate(walk_lines(document.get("lines")), start=1)
    }
    return [
        TracedLine(
            *places.get(line["line"], (0, "line of a called function")),
            entered=line["entered"],
            milliseconds=line["milliseconds"],
            failed=line["failed"],
            # Most lines without a result leave null: not worth a row.
            value="" if line.get("value") == "null" else line.get("value", ""),
            debug=line.get("debug", []),
            queries=line.get("queries", []),
        )
        for line in traced
    ]
