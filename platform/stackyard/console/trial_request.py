"""What a trial is asked for, and running it: the deed behind Run & Debug."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from endpoints.headers import content_type_of
from endpoints.inputs import RequestInputs
from endpoints.models import Endpoint, HistoryEntry
from endpoints.router import Template, parse_template
from stackyard.core.data_source import LIVE
from stackyard.core.errors import Detail, Faults, Problem, invalid_input, problem_body
from stackyard.core.jsonout import encode
from stackyard.stacks.api_drafts import canonical
from stackyard.stacks.execution import RequestFacts
from stackyard.stacks.publishing import compare
from stackyard.stacks.trial import Stop, Trial, try_document

from .callers import BUILDER, caller_of
from .manuscript import read
from .owners import StackOwner
from .samples import curl_line, filled_path
from .stored_requests import entry_of, headers_of
from .trial_folder import TrialFolder
from .trial_lines import ShownLines

_log = logging.getLogger(__name__)
SHOWN_CHARACTERS = 100_000
_DIFFERENCES = 200
_CANCEL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Asked:
    """One trial as it was asked for. `entry` is the stored request it repeats, if it does."""

    document: dict[str, Any]
    inputs: dict[str, Any]
    caller: str
    keep_changes: bool
    stop: Stop | None
    entry: HistoryEntry | None


def read_asked(owner: StackOwner, body: Mapping[str, Any]) -> Asked:
    """The trial that a body asks for. Problem `INVALID_INPUT` with every fault.

    `document` or its `text` (the draft when both are left out), `inputs`, `caller`, `keep_changes`, `stop: {line, after}`, `request` (the id of
    a stored request to compare the answer with).
    """
    wrong: list[Detail] = []

    def get(name: str, kind: type, default: Any) -> Any:
        value = body.get(name, default)
        if value is not default and not isinstance(value, kind):
            wrong.append(Detail(name, "type", f"expected {_WORDS[kind]}"))
            return default
        return value

    known = {"document", "text", "inputs", "caller", "keep_changes", "stop", "request"}
    wrong += [Detail(name, "unknown", "is not known here") for name in body if name not in known]
    document, inputs = get("document", dict, None), get("inputs", dict, {})
    text = get("text", str, None)
    caller, keeps = get("caller", str, BUILDER), get("keep_changes", bool, False)
    stop, request = get("stop", dict, None), get("request", int, None)
    if stop is not None and not isinstance(stop.get("line"), str):
        wrong.append(Detail("stop.line", "type", "expected the id of a line"))
    if wrong:
        raise invalid_input(wrong)
    return Asked(
        _document(owner, document, text),
        inputs,
        caller,
        keeps,
        Stop(stop["line"], bool(stop.get("after", True))) if stop is not None else None,
        entry_of(owner, request) if request is not None else None,
    )


def _document(owner: StackOwner, document: dict[str, Any] | None, text: str | None) -> dict[str, Any]:
    if text is not None:
        manuscript = read(owner, text)
        if manuscript.document is None:
            marks = manuscript.errors
            raise invalid_input(
                [Detail(f"line {m.line}", "text", f"{m.message} (column {m.column})") for m in marks]
            )
        return manuscript.document
    return canonical(document) if document is not None else owner.row.draft


_WORDS = {dict: "an object", str: "a text", bool: "true or false", int: "a whole number"}


def run_asked(
    owner: StackOwner, asked: Asked, user: Any, folder: TrialFolder, source: str = LIVE
) -> dict[str, Any]:
    """Run it on a data source, keep everything in the folder, and give what is shown. Never raises a Problem."""
    began = time.perf_counter()
    try:
        result, body, entries = _run(owner, asked, user, folder, source)
    except Problem as problem:
        # The document has faults, or the caller is not let in: nothing ran.
        result, body, entries = {**problem_body(problem, folder.id), "status": problem.status}, b"", {}
        result["state"] = "refused"
    except Exception as error:
        _log.error("trial %s failed", folder.id, exc_info=error)
        broken = Problem("INTERNAL_ERROR", "Something went wrong here.", suggestion="The log says what.")
        result, body, entries = {**problem_body(broken, folder.id), "status": 500}, b"", {}
        result["state"] = "refused"
    result.update(id=folder.id, whole_milliseconds=_milliseconds(time.perf_counter() - began))
    folder.finish(result, body, entries)
    return result


def _run(
    owner: StackOwner, asked: Asked, user: Any, folder: TrialFolder, source: str
) -> tuple[dict[str, Any], bytes, dict[str, Any]]:
    document = owner.as_called(asked.document)
    principal = caller_of(owner, document, asked.caller, user)
    places = places_of(owner, document)
    # As in a live call: what stands in the path, the query or a header comes as text.
    lenient = {name for name, place in places.items() if place != "body"}
    began_at = datetime.now(UTC)
    trial = try_document(
        owner.workspace,
        document,
        asked.inputs,
        principal=principal,
        request=_facts(owner, document, asked, places),
        lenient={name for name in lenient if isinstance(asked.inputs.get(name), str)},
        keep_changes=asked.keep_changes,
        stop=asked.stop,
        is_cancelled=_Asking(folder),
        source=source,
    )
    body, is_json = _body(owner, trial, folder.id)
    result = {
        "state": "done",
        "status": trial.status,
        "began_at": began_at,
        "milliseconds": _milliseconds(trial.seconds),
        "bytes": len(body),
        "is_json": is_json,
        "body": _shown_body(body, is_json),
        "body_cut": len(body) > SHOWN_CHARACTERS,
        "headers": [{"name": name, "value": value} for name, value in trial.headers],
        "stopped": trial.stopped,
        "stopped_at": trial.stopped_at,
        "kept": trial.kept,
        "problem": _problem(trial),
        "queries": sum(len(line.get("queries", ())) for line in trial.lines),
        "steps": sum(line["entered"] for line in trial.lines),
        "lines": ShownLines(owner.workspace.pk, document).shown(trial.lines),
        "data_source": source,
        "curl": trial.trace.masked(draft_curl(owner, document, asked.inputs, source)),
        "comparison": _comparison(asked.entry, trial, body) if asked.entry is not None else None,
    }
    return result, body, _worth_keeping(trial)


class _Asking:
    """Looks now and then whether the trial is to stop."""

    def __init__(self, folder: TrialFolder) -> None:
        self._folder = folder
        self._next = time.monotonic() + _CANCEL_SECONDS
        self._is_cancelled = False

    def __call__(self) -> bool:
        if not self._is_cancelled and time.monotonic() > self._next:
            self._is_cancelled = self._folder.is_cancelled()
            self._next = time.monotonic() + _CANCEL_SECONDS
        return self._is_cancelled


def places_of(owner: StackOwner, document: Mapping[str, Any]) -> dict[str, str]:
    """Where each input stands in a call; all in the body for what is not called over HTTP."""
    inputs = document.get("inputs")
    inputs = inputs if isinstance(inputs, dict) else {}
    if not isinstance(owner.row, Endpoint):
        return dict.fromkeys(inputs, "body")
    template = parse_template(document.get("path"), Faults()) or Template(())
    try:
        return RequestInputs(
            inputs, str(document.get("method")), template, ignores_unknown=True, body_limit=0
        ).places
    except Exception:
        # Inputs with faults: the check says them, in `try_document`.
        return dict.fromkeys(inputs, "body")


def _facts(
    owner: StackOwner, document: Mapping[str, Any], asked: Asked, places: Mapping[str, str]
) -> RequestFacts | None:
    """What an endpoint's stack sees as `request`: its address, and the headers of the stored request it repeats."""
    if not isinstance(owner.row, Endpoint):
        return None
    sent = {name: value for name, value in asked.inputs.items() if places.get(name) == "query"}
    headers = headers_of(asked.entry) if asked.entry is not None else {}
    body = {name: value for name, value in asked.inputs.items() if places.get(name) == "body"}
    return RequestFacts(
        str(document.get("method")),
        filled_path(document, asked.inputs),
        headers,
        sent,
        raw_body=encode(body) if body else b"",
    )


def _body(owner: StackOwner, trial: Trial, request_id: str) -> tuple[bytes, bool]:
    """The bytes a caller would get, and whether they are JSON."""
    if trial.problem is not None:
        return encode(problem_body(trial.problem, request_id)), True
    content_type = content_type_of([(n, v) for n, v in trial.headers if n.lower() == "content-type"])
    if content_type is not None and isinstance(trial.value, str) and "json" not in content_type.lower():
        return trial.value.encode("utf-8", "replace"), False
    epoch_ms = isinstance(owner.row, Endpoint) and owner.row.group.timestamps == "epoch_ms"
    try:
        return encode(trial.value, epoch_ms=epoch_ms), True
    except Problem as problem:
        return encode(problem_body(problem, request_id)), True


def _shown_body(body: bytes, is_json: bool) -> str:
    if is_json and len(body) <= SHOWN_CHARACTERS:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    return body[:SHOWN_CHARACTERS].decode("utf-8", "ignore")


def _problem(trial: Trial) -> dict[str, Any] | None:
    if trial.problem is None:
        return None
    made: dict[str, Any] = problem_body(trial.problem, "trial")["error"]
    place = trial.problem.place
    if place is not None:
        made["place"] = {"line": place.line, "path": place.path, "column": place.column}
    return made


def _comparison(entry: HistoryEntry, trial: Trial, body: bytes) -> dict[str, Any]:
    """The stored answer beside the new one; differences of JSON by path."""
    made: dict[str, Any] = {
        "status": entry.status,
        "milliseconds": entry.duration_us / 1000,
        "bytes": entry.response_bytes,
        "body": entry.response_body,
        "is_same": entry.status == trial.status and entry.response_body.encode() == body,
        "is_cut": entry.response_bytes > len(entry.response_body.encode()),
        "differences": None,
    }
    try:
        old, new = json.loads(entry.response_body), json.loads(body)
    except ValueError:
        return made
    changes = [change for change in compare(old, new) if change.path != ("error", "request_id")]
    made["is_same"] = entry.status == trial.status and not changes
    made["differences"] = [
        {"what": c.what, "path": list(c.path), "old": c.old, "new": c.new} for c in changes[:_DIFFERENCES]
    ]
    return made


def _worth_keeping(trial: Trial) -> dict[str, Any]:
    """The entries that the result does not show whole: rounds of loops, and values that were cut."""
    shown = {line["key"] for line in trial.lines if line["entered"] == 1 and not line.get("cut")}
    return {key: entries for key, entries in trial.trace.entries().items() if key not in shown}


def draft_curl(
    owner: StackOwner, document: Mapping[str, Any], inputs: Mapping[str, Any], source: str = LIVE
) -> str:
    """The shell line that would call this document; empty for a function."""
    if not isinstance(owner.row, Endpoint):
        return ""
    group = owner.row.group
    line = curl_line(document, f"/api/{group.mount}" if group.mount else f"/api:{group.canonical}", inputs)
    return line if source == LIVE else f'{line} -H "X-Data-Source: {source}"'


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
