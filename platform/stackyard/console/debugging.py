"""Run & Debug for the console's scripts: what there is to choose, the run, its parts, the samples."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from django.db import close_old_connections, connection
from django.http import HttpRequest
from django.urls import URLPattern, path

from stackyard.core.errors import Detail, Problem, invalid_input
from stackyard.core.version import pin, unpin
from stackyard.tables.schema import load_schema

from . import callers, sample_inputs, sketches, stored_requests
from .chosen_source import source_of
from .json_pages import Deed, body_of, json_page
from .owners import StackOwner
from .trial_folder import TrialFolder
from .trial_request import places_of, read_asked, run_asked

_WAIT_SECONDS = 1.0
"""A run that is over by then answers at once; a longer one is asked for, so that it can be cancelled."""
_PART_CHARACTERS = 500_000
_THREADS = 4
_ROUND_ENTRIES = 500


class DebugPages:
    """The addresses of one kind of owner, below `ID/debug/`."""

    def __init__(self, owner_type: type[StackOwner], prefix: str) -> None:
        self.owner_type = owner_type
        self.prefix = prefix

    def urls(self) -> list[URLPattern]:
        """The routes."""
        pages: dict[str, tuple[str, dict[str, Deed]]] = {
            "": ("debug", {"get": self.overview}),
            "run/": ("debug_run", {"post": self.run}),
            "runs/<uuid:trial>/": ("debug_result", {"get": self.result}),
            "runs/<uuid:trial>/cancel/": ("debug_cancel", {"post": self.cancel}),
            "runs/<uuid:trial>/body/": ("debug_body", {"get": self.body}),
            "runs/<uuid:trial>/value/": ("debug_value", {"get": self.value}),
            "runs/<uuid:trial>/rounds/": ("debug_rounds", {"get": self.rounds}),
            "inputs/": ("debug_inputs", {"get": self.inputs}),
            "samples/": ("debug_samples", {"get": self.samples, "post": self.save_sample}),
            "samples/delete/": ("debug_sample_delete", {"post": self.delete_sample}),
            "examples/": ("debug_examples", {"post": self.set_examples}),
        }
        return [
            path(f"<int:pk>/debug/{route}", json_page(**deeds), name=f"{self.prefix}_{name}")
            for route, (name, deeds) in pages.items()
        ]

    def overview(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        """What the panel begins with."""
        owner = self.owner_type.find(pk)
        document = owner.as_called(owner.row.draft)
        samples = sample_inputs.saved(owner, request.user)
        last = next((sample for sample in samples if sample["name"] == sample_inputs.LAST), None)
        return {
            "inputs": sample_inputs.forms(document, places_of(owner, document)),
            "values": sample_inputs.first(owner, document, samples),
            "caller": last["caller"] if last is not None else callers.BUILDER,
            "callers": callers.choices(owner, request.user),
            "samples": [sample for sample in samples if sample["name"] != sample_inputs.LAST],
            "requests": stored_requests.recent(owner),
            "tables": [table.name for table in load_schema(owner.workspace.pk).tables.values()],
        }

    def run(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        """Run it: the result, or `state: running` with the id to ask for when it takes longer than a second."""
        owner = self.owner_type.find(pk)
        body = body_of(request)
        asked = read_asked(owner, body)
        folder = TrialFolder.new(_whose(owner, request))
        user, source = request.user, source_of(request, owner.workspace)

        def work() -> dict[str, Any]:
            return run_asked(owner, asked, user, folder, source)

        result = in_background(work, _WAIT_SECONDS)
        sample_inputs.save(owner, request.user, sample_inputs.LAST, asked.inputs, asked.caller)
        return result if result is not None else {"state": "running", "id": folder.id}

    def result(self, request: HttpRequest, pk: int, trial: Any) -> dict[str, Any]:
        """The result of a run, or that it still runs."""
        folder = self._folder(request, pk, trial)
        return folder.result() or {"state": "running", "id": folder.id}

    def cancel(self, request: HttpRequest, pk: int, trial: Any) -> dict[str, Any]:
        """Ask a run to stop; it does at its next line."""
        folder = self._folder(request, pk, trial)
        folder.cancel()
        return {"state": "running" if folder.result() is None else "done", "id": folder.id}

    def body(self, request: HttpRequest, pk: int, trial: Any) -> dict[str, Any]:
        """A part of the whole answer as text, from the character `from` on."""
        text = self._folder(request, pk, trial).body().decode("utf-8", "replace")
        return part_of(text, _number(request, "from"))

    def value(self, request: HttpRequest, pk: int, trial: Any) -> dict[str, Any]:
        """A part of the whole value that a line (`key`) left the `entry`th time (from 0; the last when left out)."""
        entries = self._folder(request, pk, trial).entries().get(request.GET.get("key", ""), [])
        number = _number(request, "entry", len(entries) - 1)
        if not 0 <= number < len(entries) or entries[number]["value"] is None:
            raise Problem("NOT_FOUND", "This value is not kept: it was too large, or one of too many.")
        return part_of(entries[number]["value"], _number(request, "from"))

    def rounds(self, request: HttpRequest, pk: int, trial: Any) -> dict[str, Any]:
        """What the lines inside a loop did in one of its rounds: `rounds` is `2`, or `2,1` for a loop in a loop."""
        wanted = [whole_number(part, "rounds") for part in request.GET.get("rounds", "1").split(",") if part]
        found: dict[str, list[dict[str, Any]]] = {}
        for key, entries in self._folder(request, pk, trial).entries().items():
            there = [
                {**entry, "number": number, **_preview(entry["value"])}
                for number, entry in enumerate(entries)
                if entry["rounds"][: len(wanted)] == wanted
            ]
            if there:
                found[key] = there[:_ROUND_ENTRIES]
        return {"lines": found}

    def inputs(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        """Inputs from elsewhere: from a stored request (`request`), or from a record (`table`, `record`)."""
        owner = self.owner_type.find(pk)
        document = owner.as_called(owner.row.draft)
        if "request" in request.GET:
            entry = stored_requests.entry_of(owner, _number(request, "request"))
            return {**stored_requests.inputs_of(document, entry), "request": entry.pk}
        if "table" in request.GET:
            table, record = request.GET["table"], _number(request, "record")
            return {
                "inputs": sample_inputs.from_record(
                    owner, document, table, record, source_of(request, owner.workspace)
                ),
                "missing": [],
            }
        raise invalid_input([Detail("request", "required", "name a stored request, or a table and a record")])

    def samples(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        """The saved samples of this person."""
        found = sample_inputs.saved(self.owner_type.find(pk), request.user)
        return {"samples": [sample for sample in found if sample["name"] != sample_inputs.LAST]}

    def save_sample(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        """Keep inputs under a name: `{name, inputs, caller}`."""
        owner, body = self.owner_type.find(pk), body_of(request)
        name = body.get("name")
        if not isinstance(name, str) or not name.strip():
            raise invalid_input([Detail("name", "required", "give the sample a name")])
        caller = body.get("caller", callers.BUILDER)
        sample_inputs.save(
            owner,
            request.user,
            name.strip(),
            body.get("inputs", {}),
            caller if isinstance(caller, str) else "",
        )
        return self.samples(request, pk)

    def delete_sample(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        """Forget a sample: `{name}`."""
        sample_inputs.delete(self.owner_type.find(pk), request.user, str(body_of(request).get("name", "")))
        return self.samples(request, pk)

    def set_examples(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        """Make inputs the examples of the draft: `{inputs, seen}`; `seen` is the draft's digest as the editor has it."""
        owner, body = self.owner_type.find(pk), body_of(request)
        inputs = body.get("inputs")
        if not isinstance(inputs, dict):
            raise invalid_input([Detail("inputs", "type", "expected an object with the inputs by name")])
        if body.get("seen") not in (None, sketches.digest_of(owner.row.draft)):
            raise Problem("CONFLICT", "The draft was changed meanwhile.", suggestion="Load the page again.")
        document, changes = sample_inputs.with_examples(owner.row.draft, inputs)
        if changes:
            owner.save_draft(document, request.user)
        return {"changed": [change.path[1] for change in changes], "document": document}

    def _folder(self, request: HttpRequest, pk: int, trial: Any) -> TrialFolder:
        return TrialFolder.find(str(trial), _whose(self.owner_type.find(pk), request))


def _whose(owner: StackOwner, request: HttpRequest) -> list[Any]:
    return [owner.kind, owner.row.pk, request.user.pk]


def part_of(text: str, start: int) -> dict[str, Any]:
    """A part of a long text, and where the next one begins."""
    end = start + _PART_CHARACTERS
    return {
        "text": text[start:end],
        "from": start,
        "total": len(text),
        "next": end if end < len(text) else None,
    }


def _preview(value: str | None) -> dict[str, Any]:
    if value is None:
        return {"value": "", "cut": True}
    return {"value": value[:32_768], "cut": len(value) > 32_768}


def _number(request: HttpRequest, name: str, default: int = 0) -> int:
    return whole_number(request.GET[name], name) if name in request.GET else default


def whole_number(text: str, name: str) -> int:
    """A number out of a query string. Problem `INVALID_INPUT`."""
    if not text.isdecimal() or not text.isascii() or len(text) > 18:
        raise invalid_input([Detail(name, "type", "expected a whole number from 0")])
    return int(text)


# Running beside the request


Work = Callable[[], dict[str, Any]]
_waiting: SimpleQueue[Callable[[], None]] = SimpleQueue()
_lock = threading.Lock()
_threads: list[threading.Thread] = []


def in_background(work: Work, seconds: float) -> dict[str, Any] | None:
    """What the work gives if it is done within `seconds`; else None, and it goes on in a thread of this process.

    Inside a transaction it is done at once: a thread would not see what was changed there.
    """
    if connection.in_atomic_block:
        return work()
    done = threading.Event()
    results: list[dict[str, Any]] = []

    def deed() -> None:
        try:
            results.append(work())
        finally:
            done.set()

    with _lock:
        if len(_threads) < _THREADS:
            _threads.append(threading.Thread(target=_work, name="trial", daemon=True))
            _threads[-1].start()
    _waiting.put(deed)
    return results[0] if done.wait(seconds) and results else None


def _work() -> None:
    while True:
        deed = _waiting.get()
        close_old_connections()
        try:
            pin()
            deed()
        except Exception:
            import logging

            logging.getLogger(__name__).exception("a trial failed")
        finally:
            unpin()
            close_old_connections()
