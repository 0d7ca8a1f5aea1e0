"""RunKind: the family of what can be run in the background. Each room that has something joins it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from stackyard.core.kinds import Kind
from stackyard.core.principal import SYSTEM, Principal

from . import states
from .progress import Progress

if TYPE_CHECKING:
    from .models import Run, Schedule


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: a finished state, with the result or an error `{"name", "code", "message", …}`, and logs.

    `is_final`: another attempt would end the same way, so there is none. With the state `accepted` the run is not
    over: it goes on from its `position` at its next turn, and this turn is not counted as an attempt.
    """

    state: str = states.SUCCEEDED
    result: Any = None
    error: Mapping[str, Any] | None = None
    logs: str = ""
    is_final: bool = False


@dataclass(slots=True)
class ClaimedRun:
    """A run this process holds the lease of. `stop` is set when it must end: cancelled, or the lease was lost.

    What takes long tells how far it is by `progress`, and works in batches that end with `progress.keep`. Texts put into
    `logs` are shown while it runs, within about a second; the outcome's logs take their place.
    """

    run: Run
    fence: int
    stop: threading.Event = field(default_factory=threading.Event)
    logs: list[str] = field(default_factory=list)
    logs_written: int = 0
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        """Begin to watch the time."""
        self.progress = Progress(self.run, self.fence, self.stop)

    @property
    def principal(self) -> Principal:
        """On whose behalf it runs."""
        return principal_of(self.run.principal)


class RunKind(Kind, family="run kind"):
    """A kind of work. `execute` does one attempt; `start_scheduled` accepts the run of a schedule's nominal time,
    `start_by_hand` one like it at once."""

    seconds_at_most: ClassVar[int] = 300

    @classmethod
    def execute(cls, claimed: ClaimedRun) -> Outcome:
        """Do one attempt. What it raises is recorded as a failure."""
        raise NotImplementedError

    @classmethod
    def name_of(cls, target_id: int) -> str:
        """What a target is called now; empty when it is gone."""
        return ""

    @classmethod
    def start_scheduled(cls, schedule: Schedule, nominal_at: datetime) -> Run | None:
        """Accept a run for a nominal time; None when the target cannot run any more."""
        raise NotImplementedError

    @classmethod
    def start_by_hand(cls, schedule: Schedule, principal: Principal, trigger: str) -> Run | None:
        """Accept a run with the schedule's input now; None when the target cannot run any more."""
        raise NotImplementedError


def principal_value(principal: Principal) -> dict[str, Any]:
    """A principal as it is stored with a run."""
    return {
        "kind": principal.kind,
        "id": principal.id,
        "workspace_id": principal.workspace_id,
        "scopes": sorted(principal.scopes),
        "table": principal.table,
        "extras": dict(principal.extras),
        "label": principal.label,
    }


def principal_of(value: Mapping[str, Any] | None) -> Principal:
    """The principal of a stored value."""
    if not value:
        return SYSTEM
    return Principal(**{**value, "scopes": frozenset(value.get("scopes", ()))})
