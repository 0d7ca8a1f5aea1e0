"""Runs as their callers see them: accepted once, done once, taken back or lost, and never forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.runs import dispatch, states
from stackyard.runs.ending import cut, end, finish, run_finished, wait_seconds
from stackyard.runs.models import Run, RunEvent
from stackyard.runs.progress import Stopped, progress_value
from stackyard.runs.run_kind import ClaimedRun, Outcome, RunKind
from stackyard.runs.working import claim, work
from stackyard.stacks.publishing import create_function, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def start(workspace: Workspace) -> Callable[..., Run]:
    """Starts runs of a function that doubles a number and refuses zero."""
    document = {
        "name": "twice",
        "inputs": {"n": {"type": "int", "required": True}},
        "lines": [
            {
                "step": "precondition",
                "params": {"if": {"$expr": "input.n != 0"}, "code": "ZERO", "message": "No zero."},
            }
        ],
        "response": {"$expr": "input.n * 2"},
    }
    function = create_function(workspace, document)
    publish(function)

    def make(n: int = 21, **more: Any) -> Run:
        return dispatch.start("function", workspace, function.pk, target_name="twice", input={"n": n}, **more)

    return make


def events(run: Run) -> list[str]:
    return list(run.events.values_list("name", flat=True))


def test_a_run_is_done_once_and_recorded_once(start: Callable[..., Run]) -> None:
    run = start()
    assert (run.state, run.id.version) == ("accepted", 7)
    assert work(run.pk) == "succeeded"
    assert work(run.pk) is None
    run.refresh_from_db()
    assert (run.state, run.result, run.attempt, run.error) == ("succeeded", 42, 1, None)
    assert run.seconds is not None
    assert events(run) == ["accepted", "running", "succeeded"]
    assert run.events.filter(is_terminal=True).count() == 1


def test_a_failing_run_keeps_its_error(start: Callable[..., Run]) -> None:
    run = start(0)
    assert work(run.pk) == "failed"
    run.refresh_from_db()
    assert run.error is not None
    assert (run.error["code"], run.error["message"]) == ("ZERO", "No zero.")


def test_a_run_that_may_be_repeated_is_tried_again_later(start: Callable[..., Run]) -> None:
    run = start(0, retry_safe=True, max_attempts=2)
    work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("accepted", 1)
    assert run.run_after > timezone.now()
    assert work(run.pk) is None, "not before its time"
    Run.objects.filter(pk=run.pk).update(run_after=Now())
    assert work(run.pk) == "failed"
    assert events(run) == ["accepted", "running", "attempt_failed", "running", "failed"]


def expire(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(lease_until=Now() - timedelta(seconds=1))


def test_a_dead_workers_run_is_lost_unless_it_may_be_repeated(start: Callable[..., Run]) -> None:
    once, again = start(), start(retry_safe=True, max_attempts=3)
    for run in (once, again):
        assert claim(run.pk) is not None
        expire(run)
    assert dispatch.reap() == 2
    once.refresh_from_db()
    again.refresh_from_db()
    assert (once.state, again.state) == ("lost", "accepted")
    assert work(again.pk) == "succeeded"
    assert work(once.pk) is None
    assert dispatch.reap() == 0


def test_a_late_writer_is_fenced_off(start: Callable[..., Run]) -> None:
    run = start(retry_safe=True, max_attempts=3)
    first = claim(run.pk)
    assert first is not None
    expire(run)
    dispatch.reap()
    second = claim(run.pk)
    assert second is not None
    assert not finish(first.run, first.fence, states.SUCCEEDED, "late", None, "")
    assert finish(second.run, second.fence, states.SUCCEEDED, "right", None, "")
    run.refresh_from_db()
    assert run.result == "right"
    assert events(run).count("fenced_off") == 1
    assert run.events.filter(is_terminal=True).count() == 1


def test_the_same_idempotency_key_is_the_same_run(start: Callable[..., Run]) -> None:
    first = start(5, idempotency_key="k")
    assert start(5, idempotency_key="k").pk == first.pk
    with pytest.raises(Problem) as caught:
        start(6, idempotency_key="k")
    assert caught.value.status == 409


def test_a_waiting_run_is_cancelled_at_once_and_an_ended_one_is_not(start: Callable[..., Run]) -> None:
    run = start()
    dispatch.cancel(run)
    assert work(run.pk) is None
    assert events(run) == ["accepted", "cancelled"]
    with pytest.raises(Problem) as caught:
        dispatch.cancel(run)
    assert caught.value.code == "CONFLICT"


def test_cancelling_a_running_run_asks_its_worker(start: Callable[..., Run]) -> None:
    run = start()
    claimed = claim(run.pk)
    assert claimed is not None
    dispatch.cancel(run)
    run.refresh_from_db()
    assert (run.state, run.cancel_requested_at is not None) == ("running", True)
    expire(run)
    dispatch.reap()
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_the_sweep_sends_what_nobody_took_and_only_once(start: Callable[..., Run]) -> None:
    run = start()
    late = start(run_after=timezone.now() + timedelta(hours=1))
    assert dispatch.sweep() == 0, "it has been sent when it was accepted"
    due = start(run_after=timezone.now() - timedelta(seconds=1))
    assert dispatch.sweep() == 1
    assert dispatch.sweep() == 0
    dispatch.cancel(due)
    Run.objects.filter(pk=run.pk).update(dispatched_at=Now() - timedelta(seconds=11))
    assert dispatch.sweep() == 1
    late.refresh_from_db()
    assert late.dispatched_at is None


def test_whoever_waits_for_the_end_is_told_in_its_transaction(start: Callable[..., Run]) -> None:
    told: list[tuple[str, bool]] = []

    def listen(run: Run, **_: Any) -> None:
        told.append((run.state, RunEvent.objects.filter(run=run, is_terminal=True).exists()))

    run_finished.connect(listen)
    try:
        work(start().pk)
    finally:
        run_finished.disconnect(listen)
    assert told == [("succeeded", True)]


def test_finished_runs_are_pruned_and_others_are_not(start: Callable[..., Run]) -> None:
    old, new, waiting = start(), start(), start()
    for run in (old, new):
        work(run.pk)
    Run.objects.filter(pk=old.pk).update(finished_at=Now() - timedelta(days=31))
    dispatch.prune()
    assert set(Run.objects.values_list("pk", flat=True)) == {new.pk, waiting.pk}
    dispatch.prune(keep=0)
    assert set(Run.objects.values_list("pk", flat=True)) == {waiting.pk}


def test_logs_past_a_megabyte_are_cut_and_say_so() -> None:
    assert cut("a" * 1_000_000) == "a" * 1_000_000
    assert cut("é" * 600_000).endswith("… cut: 200,000 bytes more")


def test_waits_double_up_to_ten_minutes() -> None:
    assert all(1 <= wait_seconds(1) <= 2 for _ in range(20))
    assert all(300 <= wait_seconds(30) <= 600 for _ in range(20))


def test_an_end_is_written_once_whoever_writes(start: Callable[..., Run]) -> None:
    run = start()
    claimed = claim(run.pk)
    assert claimed is not None
    assert end(claimed.run, claimed.fence, states.SUCCEEDED, 1, None, "") == 1
    assert end(claimed.run, claimed.fence, states.FAILED, None, {"name": "E"}, "") == 0
    run.refresh_from_db()
    assert run.state == "succeeded"


def test_a_job_tells_how_far_it_is_and_goes_on_from_where_it_was(start: Callable[..., Run]) -> None:
    run = start(retry_safe=True, max_attempts=3)
    first = claim(run.pk)
    assert first is not None
    first.progress.keep({"row": 10}, done=10, total=100, phase="importing")
    first.progress.report(11, 100)  # within half a second of the last: not written
    run.refresh_from_db()
    assert progress_value(run) == {
        "done": 10,
        "total": 100,
        "percent": 10.0,
        "phase": "importing",
        "seconds_left": None,
    }
    expire(run)
    dispatch.reap()
    second = claim(run.pk)
    assert second is not None
    assert second.progress.position == {"row": 10}

    def write_a_late_batch() -> None:
        with transaction.atomic():
            RunEvent.objects.create(run=run, name="late_batch")
            first.progress.keep({"row": 20}, done=20)

    with pytest.raises(Stopped):
        write_a_late_batch()
    assert "late_batch" not in events(run), "a batch without the lease is taken back"


def test_a_cancelled_job_stops_between_its_batches(
    start: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def execute(claimed: ClaimedRun) -> Outcome:
        claimed.stop.set()
        claimed.progress.check()
        raise AssertionError("it went on")

    monkeypatch.setattr(RunKind.get("function"), "execute", execute)
    run = start(retry_safe=True, max_attempts=3)
    assert work(run.pk) == "cancelled"


def test_a_job_that_takes_turns_uses_up_no_attempts_and_a_final_failure_has_none_left(
    start: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = [Outcome(states.ACCEPTED), Outcome(states.FAILED, error={"code": "BAD"}, is_final=True)]
    monkeypatch.setattr(RunKind.get("function"), "execute", lambda claimed: outcomes.pop(0))
    run = start(retry_safe=True, max_attempts=3)
    work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("accepted", 0)
    assert work(run.pk) == "failed"
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("failed", 1)
