"""The checker: what was promised, what was done, what is recorded, and whether the three agree.

It reads the client's log, the file of side effects and the database as it is at the end, with plain SQL, and
knows nothing of the code that it checks.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

UNFINISHED = {"accepted", "running"}
RUNS = "SELECT id, state, retry_safe, target_id, nominal_at FROM runs_run WHERE kind = 'nemesis'"
PAUSE = "UPDATE runs_schedule SET paused = true"
WAITING = "SELECT id FROM runs_run WHERE kind = 'nemesis' AND state IN ('accepted', 'running')"
ENDS = "SELECT run_id, name FROM runs_runevent WHERE is_terminal"


@dataclass(frozen=True)
class Recorded:
    """A run as the database has it; `ends` are the names of its terminal events."""

    state: str
    retry_safe: bool
    ends: tuple[str, ...]
    nominal: str | None = None


@dataclass
class Evidence:
    """Promises (run id → retry-safe), attempts begun and ended by run id, and the recorded runs; how many of the promises
    were given over HTTP, and what was answered there that is neither a promise nor `503, come again`."""

    accepted: Mapping[str, bool]
    begun: Mapping[str, int]
    ended: Mapping[str, int]
    recorded: Mapping[str, Recorded]
    over_http: int = 0
    refused: tuple[str, ...] = ()


@dataclass
class Verdict:
    """`broken` names each broken promise with its runs; `counts` is what happened."""

    broken: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether every promise was kept."""
        return not any(self.broken.values())


def gather(traces: Path, database: str) -> Evidence:
    """Read the evidence: files in the folder `traces`, and the database, a path of SQLite or a URL of PostgreSQL."""
    promises = _lines(traces / "accepted")
    marks = Counter((run, what) for run, _, _, what in _lines(traces / "effects"))
    refused = traces / "refused"
    return Evidence(
        accepted={run: safe == "1" for run, safe, _ in promises},
        begun={run: count for (run, what), count in marks.items() if what == "begin"},
        ended={run: count for (run, what), count in marks.items() if what == "end"},
        recorded=_read_runs(database),
        over_http=sum(door == "http" for _, _, door in promises),
        refused=tuple(refused.read_text().splitlines()) if refused.exists() else (),
    )


def _lines(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def _read_runs(database: str) -> dict[str, Recorded]:
    runs, ends = _select(database, RUNS), _select(database, ENDS)
    names: dict[str, list[str]] = {}
    for run, name in ends:
        names.setdefault(_id(run), []).append(name)
    return {
        _id(run): Recorded(
            state, bool(safe), tuple(names.get(_id(run), ())), nominal and f"{target} {nominal}"
        )
        for run, state, safe, target, nominal in runs
    }


def _id(value: Any) -> str:
    """An id as SQLite (32 digits) and PostgreSQL (UUID) keep it, in one spelling."""
    text = str(value).replace("-", "")
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _select(database: str, sql: str) -> Sequence[Sequence[Any]]:
    if not database.startswith("postgres"):
        connection = sqlite3.connect(database, timeout=20)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()
    import psycopg

    with psycopg.connect(database, connect_timeout=5) as session:
        return session.execute(sql.encode()).fetchall()


def pause_schedules(database: str) -> None:
    """No schedule accepts anything from now on."""
    if not database.startswith("postgres"):
        with closing(sqlite3.connect(database, timeout=20)) as connection, connection:
            connection.execute(PAUSE)
        return
    import psycopg

    with psycopg.connect(database, connect_timeout=5) as session:
        session.execute(PAUSE)


def unfinished(database: str) -> set[str]:
    """The ids of the runs that have not ended."""
    return {_id(key) for (key,) in _select(database, WAITING)}


def check(evidence: Evidence) -> Verdict:
    """Hold the evidence against the promises (reliability.md §7, F1, F2, F4)."""
    recorded, begun, ended = evidence.recorded, evidence.begun, evidence.ended
    nominal = Counter(run.nominal for run in recorded.values() if run.nominal)
    finished = {key: run for key, run in recorded.items() if run.state not in UNFINISHED}
    broken = {
        "accepted without a record": [key for key in evidence.accepted if key not in recorded],
        "done without a record": [key for key in begun if key not in recorded],
        "not ended": [key for key in recorded if key not in finished],
        "ended more or less than once": [key for key, run in finished.items() if len(run.ends) != 1],
        "state and event differ": [key for key, run in finished.items() if set(run.ends) - {run.state}],
        "lost though it may be repeated": [
            key for key, run in recorded.items() if run.state == "lost" and run.retry_safe
        ],
        "repeated though it may not be": [
            key for key, run in recorded.items() if not run.retry_safe and begun.get(key, 0) > 1
        ],
        "succeeded without being done": [
            key for key, run in recorded.items() if run.state == "succeeded" and not ended.get(key)
        ],
        "refused with another answer than 503": list(evidence.refused),
        "two runs of one nominal time": [time for time, count in nominal.items() if count > 1],
    }
    return Verdict(broken, _counts(evidence))


def _counts(evidence: Evidence) -> dict[str, int]:
    recorded, begun = evidence.recorded, evidence.begun
    return {
        "accepted": len(evidence.accepted),
        "of them over HTTP": evidence.over_http,
        "recorded": len(recorded),
        "of them scheduled": sum(run.nominal is not None for run in recorded.values()),
        **Counter(run.state for run in recorded.values()),
        "never begun": sum(key not in begun for key in recorded),
        "begun once": sum(count == 1 for count in begun.values()),
        "begun more often": sum(count > 1 for count in begun.values()),
    }
