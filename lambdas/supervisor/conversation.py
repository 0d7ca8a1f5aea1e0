"""One run on a slot: the code goes in, calls are answered, logs are kept, the end is told from what happened."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from stackyard.core.errors import Detail, Problem
from stackyard.core.jsonout import encode

from .errands import Errands
from .frames import DONE, LOG, RES, RPC, RUN, BadFrame, Called, Ended, Frame, Late
from .job import Failure, Finished, Job, Services, State
from .limits import INPUT_BYTES, LOG_BYTES, OUTPUT_BYTES
from .slot import Slot

_LOOK_SECONDS = 0.25
_SHOWN = 20_000
# Calls that touch no database, so that several can be under way at once.
_ERRANDS = frozenset({"fetch"})
# Says that nobody waits for the call of this number any more. It has no answer.
_CALL_OFF = "call_off"
_NO_MEMORY = re.compile(r"out of memory|memory allocation of|allocation failed|Cannot allocate memory", re.I)

Listener = Callable[[str], None]


class Logs:
    """What a run wrote, cut at the limit, and said so."""

    def __init__(self, listener: Listener | None) -> None:
        self._listener = listener
        self._parts: list[str] = []
        self._left = LOG_BYTES

    def add(self, payload: bytes) -> None:
        """Keep as much of a line as still fits."""
        if self._left < 0:
            return
        text = payload[: self._left].decode("utf-8", "replace")
        self._left -= len(payload)
        if self._left < 0:
            text += f"\n… the log was cut at {LOG_BYTES / 1e6:g} MB\n"
        elif not text.endswith("\n"):
            text += "\n"
        self._parts.append(text)
        if self._listener is not None:
            self._listener(text)

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)


class Conversation:
    """A run, from the frame that starts it to what is known at its end. Lives on the caller's thread."""

    def __init__(
        self,
        slot: Slot,
        job: Job,
        code: str,
        bundle: Path | None,
        services: Services,
        is_cancelled: Callable[[], bool] | None,
        listener: Listener | None,
    ) -> None:
        self._slot = slot
        self._job = job
        self._code = code
        self._bundle = bundle
        self._services = services
        self._is_cancelled = is_cancelled
        self._logs = Logs(listener)
        self._broken = ""
        self._errands: Errands | None = None
        self.started_at = time.monotonic()
        self.deadline = self.started_at + job.timeout_seconds

    def hold(self) -> Finished:
        """Run the job. Never raises for anything the code does; what `services` raises beyond a Problem goes through."""
        try:
            payload = self._request()
            self._slot.allow_cpu(self._job.timeout_seconds)
            token = self._slot.say(RUN, payload, self.deadline)
            self._slot.knows = self._job.lambda_key
            while True:
                frame = self._hear(token)
                if frame.kind == LOG:
                    self._logs.add(frame.payload)
                elif frame.kind == RPC:
                    self._answer(token, frame)
                elif frame.kind == DONE:
                    return self._done(frame)
        except Late:
            self._slot.kill("timed_out")
        except BadFrame as error:
            self._broken = str(error)
            self._slot.kill("broken")
        except Ended:
            pass
        finally:
            if self._errands is not None:
                self._errands.close()
        return self._death()

    def _request(self) -> bytes:
        job = self._job
        request: dict[str, Any] = {
            "file": job.file_name,
            "input": job.input,
            "env": dict(job.env),
            "auth": job.auth,
            "run": dict(job.run),
            "dates": [job.now_ms, job.today_ms, job.yesterday_ms, job.tomorrow_ms],
            "names": dict(job.names),
            "mode": job.mode,
            "log_bytes": LOG_BYTES,
            "output_bytes": OUTPUT_BYTES,
        }
        if job.items is not None:
            items = job.items
            request |= {"operation": items.operation, "items": items.values, "initial": items.initial}
        if self._slot.knows != job.lambda_key:
            request["code"] = self._code
            if self._bundle is not None:
                request["bundle"] = self._bundle.read_text("utf-8")
        payload = encode(request)
        if len(payload) > INPUT_BYTES:
            raise Problem("PAYLOAD_TOO_LARGE", f"The lambda's input is larger than {INPUT_BYTES / 1e6:g} MB.")
        return payload

    def _hear(self, token: int) -> Frame:
        until = self.deadline
        while True:
            if self._is_cancelled is not None:
                until = min(self.deadline, time.monotonic() + _LOOK_SECONDS)
            try:
                return self._slot.hear(token, until)
            except Called:
                for answer in self._errands.done() if self._errands is not None else ():
                    self._slot.channel.send(RES, token, answer, self.deadline)
                continue
            except Late:
                if until == self.deadline:
                    raise
            if self._is_cancelled is not None and self._is_cancelled():
                self._slot.kill("cancelled")
                raise Ended

    def _answer(self, token: int, frame: Frame) -> None:
        try:
            number, method, params = orjson.loads(frame.payload)
            if not (isinstance(number, int) and isinstance(method, str) and isinstance(params, list)):
                raise ValueError
        except ValueError:
            raise BadFrame("a call that can't be read") from None

        if method == _CALL_OFF:
            if self._errands is not None:
                self._errands.call_off(number)
            return

        def work() -> bytes:
            try:
                return encode([number, self._services.call(method, params)])
            except Problem as problem:
                return encode([number, None, described(problem)])

        if method in _ERRANDS:
            self._errands = self._errands or Errands(self._slot.channel)
            if self._errands.begin(number, work):
                return
        self._slot.channel.send(RES, token, work(), self.deadline)

    def _done(self, frame: Frame) -> Finished:
        try:
            said = orjson.loads(frame.payload)
            if "error" not in said:
                if len(frame.payload) > OUTPUT_BYTES + 100:
                    raise BadFrame("an output past its limit")
                return self._finished("succeeded", value=said["value"])
            return self._finished("failed", error=failure_of(said["error"]))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise BadFrame("an end that can't be read") from None

    def _death(self) -> Finished:
        """The process is gone: by the supervisor's verdict, or else by its own end."""
        slot = self._slot
        slot.kill("ended")
        status = slot.reap()
        slot.channel.drain()
        state, error = self._cause(slot.verdict or "ended", status, slot.channel.stderr)
        return self._finished(state, error=error)

    def _cause(self, verdict: str, status: int, stderr: str) -> tuple[State, Failure]:
        job = self._job
        if verdict == "timed_out" or -status == signal.SIGXCPU:
            message = f"The lambda was stopped after {job.timeout_seconds:g} s."
            return "timed_out", Failure("TimeoutError", message, code="TIMEOUT", status=504)
        if verdict == "cancelled":
            return "cancelled", Failure("Cancelled", "The run was cancelled.")
        group = self._slot.launched.group
        if verdict == "out_of_memory" or _NO_MEMORY.search(stderr) or (group and group.has_killed()):
            message = f"The lambda used more than {job.memory_mb} MB of memory."
            return "out_of_memory", Failure("MemoryError", message, code="OUT_OF_MEMORY", status=500)
        if verdict == "scratch":
            return "failed", Failure("QuotaExceededError", "The lambda wrote more files than it may keep.")
        if verdict == "closed":
            return "failed", Failure("Closed", "The platform was stopped during the run.")
        if verdict == "broken":
            message = f"The lambda's process was stopped: it sent {self._broken}."
            return "failed", Failure("ProtocolError", message, code="LAMBDA_FAILED")
        how = f"by signal {-status}" if status < 0 else f"with exit code {status}"
        message = f"The lambda's process ended during the run {how}."
        return "failed", Failure("ProcessEnded", message, code="LAMBDA_FAILED")

    def _finished(self, state: State, value: Any = None, error: Failure | None = None) -> Finished:
        return Finished(state, value, error, self._logs.text, time.monotonic() - self.started_at)


def described(problem: Problem) -> dict[str, Any]:
    """A Problem as the code sees it."""
    details = [d.as_dict() if isinstance(d, Detail) else d for d in problem.details or ()]
    return {
        "code": problem.code,
        "message": problem.message,
        "status": problem.status,
        "suggestion": problem.suggestion,
        "details": details or None,
    }


def failure_of(said: Any) -> Failure:
    """An error as the process told it: texts cut, everything else dropped."""

    def text(name: str) -> str | None:
        value = said.get(name)
        return value[:_SHOWN] if isinstance(value, str) else None

    def number(name: str) -> int | None:
        value = said.get(name)
        return value if isinstance(value, int) and 0 <= value < 2**31 else None

    status = number("status")
    return Failure(
        name=text("name") or "Error",
        message=text("message") or "",
        code=text("code"),
        status=status if status is not None and 400 <= status <= 599 else None,
        suggestion=text("suggestion"),
        details=said.get("details"),
        stack=text("stack") or "",
        line=number("line"),
        column=number("column"),
    )
