"""What the supervisor is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

State = Literal["succeeded", "failed", "timed_out", "out_of_memory", "cancelled"]


@dataclass(frozen=True, slots=True)
class Items:
    """A list that a short piece of code is applied to, in one crossing for the whole list.

    `operation` is `map`, `filter`, `some`, `every`, `find`, `find_index` or `reduce` (which starts with `initial`).
    The code sees `item`, `index`, `items` and `result`, and the same as `$this`, `$index`, `$parent`, `$result`.
    """

    operation: str
    values: Sequence[Any]
    initial: Any = None


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a lambda's code.

    `lambda_key` names the code: the same key means the same code, so a slot that ran it can be used again.
    `names` are further constants that the code sees. Times are milliseconds since 1970; `today_ms` and its
    neighbours are the starts of those days in the workspace's time zone. `bundle` is a file with the packages
    that the code imports. `once` runs it in a process that nobody used before and nobody uses after.
    """

    workspace_id: Any
    lambda_key: str
    code: str
    file_name: str = "main.ts"
    input: Any = None
    env: Mapping[str, str] = field(default_factory=dict)
    auth: Mapping[str, Any] | None = None
    run: Mapping[str, Any] = field(default_factory=dict)
    now_ms: int = 0
    today_ms: int = 0
    yesterday_ms: int = 0
    tomorrow_ms: int = 0
    timeout_seconds: float = 300
    memory_mb: int = 256
    once: bool = False
    bundle: str | None = None
    mode: Literal["body", "filter"] = "body"
    items: Items | None = None
    names: Mapping[str, Any] = field(default_factory=dict)


class Services(Protocol):
    """Who answers what the code asks for: `db.query`, `fn.call`, `fetch`, `email.send`, `cache.get` …"""

    def call(self, method: str, params: list[Any]) -> Any:
        """Answer one call; `params` are the arguments as the code gave them, as plain JSON data.

        Called on the thread that called `run`; `fetch` on threads of its own, up to eight at once. A Problem becomes an error that the code can catch.
        """


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run failed. `line` and `column` (1-based) point into the lambda's own code."""

    name: str
    message: str
    code: str | None = None
    status: int | None = None
    suggestion: str | None = None
    details: Any = None
    stack: str = ""
    line: int | None = None
    column: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON for the run's record: what is known of it."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended. `value` is plain JSON data; `error` is there whenever `state` is not `succeeded`."""

    state: State
    value: Any = None
    error: Failure | None = None
    logs: str = ""
    duration_seconds: float = 0.0
