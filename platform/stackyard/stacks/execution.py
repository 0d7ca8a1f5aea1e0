"""Execution: one run of a stack and all it may use: the caller, the store, the clock, what it answers with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from stackyard.core.data_source import LIVE
from stackyard.core.errors import Problem
from stackyard.core.limits import CALL_DEPTH, STACK_STEPS
from stackyard.core.principal import Principal
from stackyard.core.secrets import Secret
from stackyard.core.version import Current
from stackyard.tables.schema import Schema, load_schema
from stackyard.tables.store import Store

if TYPE_CHECKING:
    from .trace import Trace

_TEST_SHELVES = 1 << 40
_TURNS = 200
"""Turns of loops between two looks at the clock."""


class Stopped(BaseException):
    """A run that must end at once and that no `try_catch` may hold up; carries the Problem to answer with."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class DebugStop(BaseException):
    """`stop_and_debug` in Run & Debug: ends the run with a value."""

    def __init__(self, value: Any) -> None:
        super().__init__("stopped")
        self.value = value


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a stack may know of the HTTP request. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, Any]
    address: str | None = None
    raw_body: bytes = b""

    def as_value(self) -> dict[str, Any]:
        """What a stack sees as `request`."""
        return {
            "method": self.method,
            "path": self.path,
            "headers": dict(self.headers),
            "query": dict(self.query),
            "address": self.address,
        }


@dataclass(frozen=True, slots=True)
class WorkspaceFacts:
    """What every run needs of its workspace: time zone, and variables with secrets still wrapped."""

    zone: ZoneInfo
    variables: Mapping[str, str | Secret]


def _no_workspaces() -> dict[int, WorkspaceFacts]:
    return {}


_workspaces: Current[dict[int, WorkspaceFacts]] = Current(_no_workspaces)
"""Emptied whenever the installation's version moves, filled one workspace at a time."""


def workspace_facts(workspace_id: int, token: int | None = None) -> WorkspaceFacts:
    """The facts of a workspace at the present version."""
    held = _workspaces.get(token)
    if workspace_id not in held:
        from stackyard.core.models import Workspace

        workspace = Workspace.objects.get(pk=workspace_id)
        variables = {variable.name: variable.value for variable in workspace.variables.all()}
        held[workspace_id] = WorkspaceFacts(workspace.zone, variables)
    return held[workspace_id]


@dataclass(slots=True)
class Execution:
    """The run context. Compiled code calls the `root_…`, `refuel` and `…_line` methods; steps use the rest."""

    workspace_id: int
    schema: Schema
    store: Store
    principal: Principal
    request: RequestFacts | None
    deadline: float
    started_at: datetime
    trace: Trace | None = None
    is_cancelled: Callable[[], bool] | None = None
    status: int = 200
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    depth: int = 0
    steps_left: int = STACK_STEPS.default
    _env: dict[str, str] | None = None

    @classmethod
    def start(
        cls,
        workspace_id: int,
        principal: Principal,
        request: RequestFacts | None = None,
        trace: Trace | None = None,
        timeout_seconds: float = 30,
        source: str = LIVE,
    ) -> Execution:
        """A run that begins now, over the workspace's present schema and the records of a data source."""
        schema = load_schema(workspace_id, source)
        store = Store(schema, on_query=trace.query if trace is not None else None)
        return cls(
            workspace_id,
            schema,
            store,
            principal,
            request,
            time.monotonic() + timeout_seconds,
            _now(),
            trace,
        )

    @property
    def source(self) -> str:
        """The data source it works on: `live` or `test`."""
        return self.schema.source

    @property
    def shelf(self) -> int:
        """Whose cached values it sees: those of test data are kept apart, under the workspace's negative id."""
        return self.workspace_id if self.schema.source == LIVE else -_TEST_SHELVES - self.workspace_id

    # What compiled code reads

    def root_auth(self) -> dict[str, Any]:
        """`auth`."""
        return self.principal.as_value()

    def root_env(self) -> dict[str, str]:
        """`env`: the workspace's variables, secrets revealed to the stack (traces and history mask them)."""
        if self._env is None:
            facts = workspace_facts(self.workspace_id)
            self._env = {
                name: value.reveal() if isinstance(value, Secret) else value
                for name, value in facts.variables.items()
            }
        return self._env

    def root_request(self) -> dict[str, Any] | None:
        """`request`; null when no HTTP request started the run."""
        return self.request.as_value() if self.request is not None else None

    def root_now(self) -> datetime:
        """`now`: the instant the run began, the same throughout it."""
        return self.started_at

    def _day(self, offset: int) -> datetime:
        zone = workspace_facts(self.workspace_id).zone
        return _start_of_day(zone, self.started_at.astimezone(zone).date(), offset)

    def root_today(self) -> datetime:
        """`today`: the start of the day in the workspace's time zone."""
        return self._day(0)

    def root_yesterday(self) -> datetime:
        """`yesterday`."""
        return self._day(-1)

    def root_tomorrow(self) -> datetime:
        """`tomorrow`."""
        return self._day(1)

    # Limits

    def refuel(self) -> int:
        """Turns until the next look at the clock. Stopped when time (504) or steps (422) are used up."""
        self.check_time()
        self.steps_left -= _TURNS
        if self.steps_left < 0:
            raise Stopped(
                Problem(
                    "BUDGET_EXCEEDED",
                    f"A run may take at most {STACK_STEPS.default:,} turns of its loops.",
                    status=422,
                    suggestion="Let the database filter and total, or work in pages.",
                )
            )
        return _TURNS

    def check_time(self) -> None:
        """Stopped with 504 `TIMEOUT` when the run's time is over, with 499 `CANCELLED` when somebody ended it."""
        if self.is_cancelled is not None and self.is_cancelled():
            raise Stopped(Problem("CANCELLED", "The run was cancelled.", status=499))
        if time.monotonic() > self.deadline:
            raise Stopped(Problem("TIMEOUT", "The function stack took longer than it may."))

    def deeper(self) -> None:
        """Enter a called function. Problem when functions call each other too deep."""
        self.check_time()
        self.depth += 1
        if self.depth > CALL_DEPTH.default:
            raise Stopped(
                Problem(
                    "BUDGET_EXCEEDED",
                    f"Functions may call each other at most {CALL_DEPTH.default} deep.",
                    status=422,
                )
            )

    # Run & Debug

    def enter_line(self, line_id: str, depth: int) -> None:
        """A traced line begins."""
        self.check_time()
        if self.trace is not None:
            self.trace.enter(line_id, depth, self.depth)

    def enter_block(self, depth: int, way: str, repeats: bool) -> None:
        """A traced line at this depth runs one of its blocks."""
        if self.trace is not None:
            self.trace.enter_block(depth, self.depth, way, repeats)

    def leave_line(self, line_id: str, depth: int, has_value: bool, value: Any = None) -> None:
        """A traced line has ended, with the value of the variable it leaves if it leaves one."""
        if self.trace is not None:
            self.trace.leave(line_id, depth, self.depth, has_value, value)


@lru_cache(maxsize=256)
def _start_of_day(zone: ZoneInfo, day: date, offset: int) -> datetime:
    """In UTC; the same for everybody that day."""
    day += timedelta(days=offset)
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _now() -> datetime:
    """The present in UTC, whole milliseconds."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
