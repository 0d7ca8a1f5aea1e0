"""One call of an endpoint, from the WSGI environment to the answer: the path every request takes, door by door.

find the endpoint (404, 405, 400) → who calls (401, 403) → how often (429) → inputs (400, 413, 415)
→ what was answered before to the same Idempotency-Key (409) → the stack (its own problems, 504) → the answer as JSON → the request history, noted in passing
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError

from stackyard.core import idempotency, tracing
from stackyard.core.body import parse_pairs
from stackyard.core.client_address import client_address, counted_as
from stackyard.core.connection import close_broken
from stackyard.core.data_source import HEADER as SOURCE_HEADER
from stackyard.core.data_source import LIVE, read_source
from stackyard.core.errors import Problem, problem_body
from stackyard.core.jsonout import encode as encode_value
from stackyard.core.jsonout import measure
from stackyard.core.principal import Principal
from stackyard.core.request_id import HEADER as REQUEST_ID
from stackyard.core.request_id import choose_request_id
from stackyard.core.version import pin, unpin
from stackyard.stacks.execution import Execution, RequestFacts
from stackyard.stacks.trace import Trace

from . import history
from .headers import Headers, content_type_of, stack_headers
from .history_rows import secret_texts
from .inputs import Sent
from .plans import SECURITY_HEADERS, EndpointPlan, Found, Group, find, plan_of
from .repeats import HELD_LONGER, KEY_HEADER, end_claim, fingerprint_of, scope_of
from .router import decode_path, path_from_django
from .spans import traced
from .throttles import Throttle

_log = logging.getLogger(__name__)
_JSON = ("Content-Type", "application/json")
_WITHOUT_BODY = frozenset({204, 304})


@dataclass(slots=True)
class Answer:
    """What goes back. `headers` are complete; `error_code` is empty for a success, `place` the stack's line that failed."""

    status: int
    headers: Headers
    body: bytes
    error_code: str = ""
    place: str = ""


class RequestHeaders(Mapping[str, str]):
    """The request's headers by lower-case name, read out of the environment only when a stack asks."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        key = name.upper().replace("-", "_")
        value: str = self._environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"]
        return value

    def __iter__(self) -> Iterator[str]:
        for key in self._environ:
            if key[:5] == "HTTP_":
                yield key[5:].replace("_", "-").lower()
            elif key in {"CONTENT_TYPE", "CONTENT_LENGTH"} and self._environ[key]:
                yield key.replace("_", "-").lower()

    def __len__(self) -> int:
        return sum(1 for _ in self)


class RequestQuery(Mapping[str, Any]):
    """The query string's values by name, parsed only when a stack asks."""

    __slots__ = ("_pairs", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._pairs: dict[str, Any] | None = None

    @property
    def _read(self) -> dict[str, Any]:
        if self._pairs is None:
            self._pairs = parse_pairs(self._text)
        return self._pairs

    def __getitem__(self, name: str) -> Any:
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)


class EndpointCall:
    """One call. `answer()` never raises."""

    __slots__ = (
        "_raw_path",
        "address",
        "endpoint",
        "environ",
        "group",
        "method",
        "path",
        "plan",
        "principal",
        "request_id",
        "sent",
        "source",
    )

    def __init__(self, environ: dict[str, Any], raw_path: str | None = None) -> None:
        """`raw_path` is WSGI's PATH_INFO as the server gave it; Django's request has put its own in that place."""
        self.environ = environ
        self._raw_path = raw_path
        self.path = ""
        self.method: str = environ["REQUEST_METHOD"]
        self.request_id = choose_request_id(environ.get("HTTP_X_REQUEST_ID"))
        self.address = client_address(environ)
        self.group: Group | None = None
        self.plan: EndpointPlan | None = None
        self.sent: Sent | None = None
        self.principal = ""
        self.source = LIVE
        self.endpoint = ""

    def answer(self) -> Answer:
        """The complete answer, whatever happens."""
        traces = tracing.active
        return self.untraced() if traces is None else traced(self, traces)

    def untraced(self) -> Answer:
        """What `answer` gives, with no span around it."""
        started_at, started = time.time(), time.perf_counter_ns()
        try:
            pin()
            answer = self._serve()
        except Problem as problem:
            if problem.code == "BUSY":
                # The records' door says so when a lock did not come, and when the database hung up.
                close_broken()
            answer = self._of_problem(problem)
        except Exception as error:
            answer = self._of_problem(self._unexpected(error))
        finally:
            unpin()
        answer.headers.append((REQUEST_ID, self.request_id))
        if self.source != LIVE:
            answer.headers.append(("X-Data-Source", self.source))
        if self.group is not None:
            answer.headers += self.group.headers
            answer.headers += self.group.cors.headers(self.environ.get("HTTP_ORIGIN"))
        else:
            answer.headers += SECURITY_HEADERS
        if self.plan is not None:
            self._note(self.plan, answer, started_at, time.perf_counter_ns() - started)
        if answer.status in _WITHOUT_BODY:
            answer.body = b""
        else:
            answer.headers.append(("Content-Length", str(len(answer.body))))
            if self.method == "HEAD":
                answer.body = b""
        return answer

    def _serve(self) -> Answer:
        raw = self._raw_path
        self.path = decode_path(raw) if raw is not None else path_from_django(self.environ["PATH_INFO"])
        found = find(self.path)
        group = self.group = found.group
        if self.method == "OPTIONS":
            return self._options(found)
        match = found.match(self.method)
        if match is None:
            raise self._not_allowed(found)
        plan = self.plan = plan_of(group, match.target)
        self.endpoint = plan.name
        reads = self.method in {"GET", "HEAD"}
        principal = plan.callers.identify(self.environ, group.workspace_id, group.name, plan.name, reads)
        self.principal = f"{principal.kind}:{principal.id}" if principal.id is not None else principal.kind
        if (
            SOURCE_HEADER in self.environ
            or principal.data_source is not None
            or plan.data_sources is not None
        ):
            self._choose_source(plan, principal)
        each = plan.caller_throttle
        # A caller's own limit first: what it turns away is not taken from the others.
        if each is not None and not each.takes(
            self.principal if principal.id is not None else counted_as(self.address)
        ):
            return self._too_many(plan, each)
        if not plan.throttle.takes():
            return self._too_many(plan, plan.throttle)
        sent = self.sent = Sent()
        plan.inputs.gather(match.parameters, self.environ, sent)
        values = plan.inputs.bind(sent)
        if plan.keeps_answers and KEY_HEADER in self.environ:
            scope = scope_of(plan.endpoint_id, principal, self.source)
            return self._once(plan, scope, lambda: self._run(plan, principal, sent, values))
        return self._run(plan, principal, sent, values)

    def _choose_source(self, plan: EndpointPlan, principal: Principal) -> None:
        """Which records the call works on. Problem 400 for an unknown source, 401 and 403 for one that is not the caller's."""
        source = self.source = read_source(self.environ.get(SOURCE_HEADER))
        if principal.data_source not in (None, source):
            own = principal.data_source
            raise Problem(
                "UNAUTHORIZED" if principal.kind == "user" else "ACCESS_DENIED",
                f"What you sent to say who you are is for {own} data.",
                suggestion=f"Send X-Data-Source: {own}.",
            )
        if not plan.may_use(source, principal):
            allowed = plan.data_sources
            say = "Say who you are, or let the endpoint take it from everybody: data_sources: [live, test]."
            raise Problem(
                "ACCESS_DENIED",
                f"This endpoint does not work on {source} data for you.",
                suggestion=say if allowed is None else f"It works on {' and '.join(allowed)} data.",
            )

    def _run(self, plan: EndpointPlan, principal: Principal, sent: Sent, values: dict[str, Any]) -> Answer:
        facts = self._facts(sent)
        if plan.traces:
            return self._traced(plan, principal, sent, values)
        execution = Execution.start(
            plan.group.workspace_id,
            principal,
            facts,
            timeout_seconds=plan.timeout_seconds,
            source=self.source,
        )
        value = plan.stack_on(self.source).run(execution, values)
        return _success(plan, execution, value)

    def _traced(self, plan: EndpointPlan, principal: Principal, sent: Sent, values: dict[str, Any]) -> Answer:
        """The same, with a trace for the request history."""
        trace = sent.trace = Trace(secret_texts(plan.group.workspace_id, plan.inputs.set, sent.values))
        trace.stops = False
        execution = Execution.start(
            plan.group.workspace_id, principal, self._facts(sent), trace, plan.timeout_seconds, self.source
        )
        failed = True
        try:
            value = plan.stack_on(self.source).run(execution, values)
            failed = False
        finally:
            trace.finish(failed)
        return _success(plan, execution, value)

    def _once(self, plan: EndpointPlan, scope: str, run: Callable[[], Answer]) -> Answer:
        """The answer to a request with an Idempotency-Key: the one given before, or this one, kept."""
        key = idempotency.read_key(self.environ[KEY_HEADER])
        held = idempotency.claim(
            scope, key, fingerprint_of(self.path, self.environ, self.sent), plan.timeout_seconds + HELD_LONGER
        )
        if isinstance(held, idempotency.Answered):
            headers = [*held.headers, (idempotency.REPLAYED, "true")]
            return Answer(held.status, headers, held.body)
        try:
            answer = run()
        except Problem as problem:
            answer = self._of_problem(problem)
        except Exception as error:
            answer = self._of_problem(self._unexpected(error))
        end_claim(held, answer)
        return answer

    def _facts(self, sent: Sent) -> RequestFacts:
        environ = self.environ
        return RequestFacts(
            self.method,
            self.path,
            RequestHeaders(environ),
            RequestQuery(environ.get("QUERY_STRING", "")),
            self.address,
            sent.raw_body,
        )

    def _options(self, found: Found) -> Answer:
        """What the path takes, and a browser's preflight; nobody has to say who they are for that."""
        allowed = found.allowed()
        headers = [("Allow", ", ".join(allowed)), *found.group.cors.preflight(self.environ, allowed)]
        return Answer(204, headers, b"")

    def _not_allowed(self, found: Found) -> Problem:
        allow = ", ".join(found.allowed())
        message = f"This address does not take {self.method[:20]}."
        return Problem(
            "METHOD_NOT_ALLOWED", message, suggestion=f"It takes {allow}.", headers={"Allow": allow}
        )

    def _too_many(self, plan: EndpointPlan, throttle: Throttle) -> Answer:
        whose = " from each caller" if throttle.of_each_caller else ""
        problem = Problem(
            "TOO_MANY_REQUESTS", f"This endpoint takes {throttle.per_second:,} calls a second{whose}."
        )
        # Counted by the throttle, not kept: a flood would push everything else out of the history.
        history.note_limited(plan)
        self.plan = None
        body = encode_problem(problem, self.request_id)
        return Answer(429, [_JSON, *throttle.headers], body, "TOO_MANY_REQUESTS")

    def _unexpected(self, error: Exception) -> Problem:
        """What a caller learns of an error that is ours: nothing but an id by which the log tells the rest."""
        _log.error("call %s failed", self.request_id, exc_info=error)
        if isinstance(error, DatabaseError | InterfaceError):
            close_broken()
            if isinstance(error, OperationalError | InterfaceError):
                wait = {"Retry-After": "1"}
                return Problem("BUSY", "The database is busy.", suggestion="Try again.", headers=wait)
        return _internal()

    def _of_problem(self, problem: Problem) -> Answer:
        place = problem.place.line if problem.place is not None else ""
        if problem.code == "INTERNAL_ERROR" and problem.message != _INTERNAL:
            _log.error("call %s failed: %s", self.request_id, problem.message, exc_info=problem)
            problem = _internal()
        try:
            body = encode_problem(problem, self.request_id)
        except Problem as other:
            body = encode_problem(other, self.request_id)
        status = problem.status if 400 <= problem.status <= 599 else 500
        return Answer(status, [_JSON, *problem.headers.items()], body, str(problem.code), place)

    def _note(self, plan: EndpointPlan, answer: Answer, started_at: float, duration_ns: int) -> None:
        if plan.inputs.takes_files and self.sent is not None:
            for upload in self.sent.uploads:
                upload.close()
        history.note(
            history.Call(
                plan,
                self.request_id,
                self.path,
                self.environ,
                self.sent,
                self.principal,
                self.address,
                answer.status,
                answer.error_code,
                answer.body,
                started_at,
                duration_ns,
                answer.place,
                self.source,
            )
        )


_INTERNAL = "Something went wrong here."


def encode_problem(problem: Problem, request_id: str) -> bytes:
    """The error shape as bytes. Problem `RESPONSE_TOO_LARGE` when its details nest too deep."""
    return encode_value(problem_body(problem, request_id))


def _internal() -> Problem:
    return Problem("INTERNAL_ERROR", _INTERNAL)


def _success(plan: EndpointPlan, execution: Execution, value: Any) -> Answer:
    """The stack's value as JSON, or as it is when the stack set another Content-Type and gave text."""
    headers = stack_headers(execution.response_headers) if execution.response_headers else []
    content_type = content_type_of(headers) if headers else None
    if content_type is None:
        headers.append(_JSON)
    limit = plan.response_bytes
    if plan.measures and measure(value) > limit:
        raise _too_large(limit)
    if content_type is not None and isinstance(value, str) and "json" not in content_type.lower():
        body = value.encode("utf-8", "replace")
    else:
        body = encode_value(value, epoch_ms=plan.group.epoch_ms)
    if len(body) > limit:
        raise _too_large(limit)
    return Answer(execution.status, headers, body)


def _too_large(limit: int) -> Problem:
    message = f"The answer is larger than {limit:,} bytes."
    return Problem("RESPONSE_TOO_LARGE", message, suggestion="Ask for less at once, for instance a page.")
