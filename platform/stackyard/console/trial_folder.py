"""What trials leave behind, kept for a while in the home: `trials/ID/`, one folder a trial.

A trial may run in another process than the one that is asked about it, and while it holds SQLite's write lock nobody
could write into the database that it is to stop. So its state, its result and its end are files: `owner` says whose it
is, `result` is there once it is over, `cancel` asks it to stop, `body` and `entries` hold what a page shows only in part.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings

from stackyard.core.errors import Problem
from stackyard.core.jsonout import encode

KEPT_SECONDS = 3_600
KEPT_TRIALS = 200


class TrialFolder:
    """The folder of one trial."""

    def __init__(self, trial_id: str) -> None:
        self.id = trial_id
        self._path = _root() / trial_id

    @classmethod
    def new(cls, whose: list[Any]) -> TrialFolder:
        """A folder for a trial that begins now; old ones go. `whose` is what `find` must be asked with."""
        folder = cls(str(uuid.uuid4()))
        folder._path.mkdir(mode=0o700, parents=True)
        folder._write("owner", encode(whose))
        _prune()
        return folder

    @classmethod
    def find(cls, trial_id: str, whose: list[Any]) -> TrialFolder:
        """The folder of a trial that was begun for the same person and stack. Problem `NOT_FOUND`."""
        folder = cls(trial_id)
        if folder._read("owner") != encode(whose):
            raise Problem(
                "NOT_FOUND", "The result of this run is not kept any more.", suggestion="Run it again."
            )
        return folder

    def finish(self, result: dict[str, Any], body: bytes, entries: dict[str, Any]) -> None:
        """Keep what came of it. The result is written last: it says that the rest is there."""
        self._write("body", body)
        self._write("entries", encode(entries))
        self._write("result", encode(result))

    def result(self) -> dict[str, Any] | None:
        """The result; None while it runs."""
        raw = self._read("result")
        found: dict[str, Any] | None = json.loads(raw) if raw is not None else None
        return found

    def body(self) -> bytes:
        """The whole answer, secrets masked."""
        return self._read("body") or b""

    def entries(self) -> dict[str, list[dict[str, Any]]]:
        """Every kept entry of its lines by key, values whole."""
        found: dict[str, list[dict[str, Any]]] = json.loads(self._read("entries") or b"{}")
        return found

    def cancel(self) -> None:
        """Ask it to stop."""
        self._write("cancel", b"")

    def say(self, text: str) -> None:
        """What a lambda wrote to its console meanwhile."""
        with open(self._path / "said", "a", encoding="utf-8", errors="replace") as file:
            file.write(text if text.endswith("\n") else f"{text}\n")

    def said(self) -> str:
        """All that was said so far."""
        return (self._read("said") or b"").decode("utf-8", "replace")

    def is_cancelled(self) -> bool:
        """Whether somebody asked it to stop."""
        return (self._path / "cancel").exists()

    def _write(self, name: str, raw: bytes) -> None:
        staged = self._path / f"{name}.new"
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
        staged.replace(self._path / name)

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            return None


def _root() -> Path:
    return Path(settings.HOME) / "trials"


def _prune() -> None:
    """Remove what is older than an hour, and the oldest when there are too many."""
    found = sorted(((entry.stat().st_mtime, entry.path) for entry in os.scandir(_root())), reverse=True)
    oldest = time.time() - KEPT_SECONDS
    for number, (changed_at, path) in enumerate(found):
        if number >= KEPT_TRIALS or changed_at < oldest:
            shutil.rmtree(path, ignore_errors=True)
