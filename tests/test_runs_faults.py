"""Runs when something goes wrong around them: listeners, databases, brokers, clocks, odd values, two at once."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError, ProgrammingError, connections, transaction
from django.db.models.functions import Now
from django.utils import timezone

from stackyard.core.models import Workspace
from stackyard.runs import beat, dispatch, ending, folder, states, working
from stackyard.runs.checks import check_celery
from stackyard.runs.courier import courier
from stackyard.runs.models import Run, RunEvent
from stackyard.runs.run_kind import ClaimedRun, Outcome, RunKind
from stackyard.runs.working import claim, work
from tests import factories


class OddRun(RunKind):
    """Does what its test says."""

    name = "odd"
    label = "Odd"
    group = "code"
    icon = "bug"
    deed: Callable[[ClaimedRun], Outcome] = staticmethod(lambda claimed: Outcome())

    @classmethod
    def execute(cls, claimed: ClaimedRun) -> Outcome:
        """The deed."""
        return cls.deed(claimed)


@pytest.fixture
def does(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[ClaimedRun], Outcome]], None]:
    """Sets what odd runs do."""
    return lambda deed: monkeypatch.setattr(OddRun, "deed", staticmethod(deed))


def start(workspace: Workspace, **more: Any) -> Run:
    return dispatch.start("odd", workspace, 1, target_name="odd", **more)


def events(run: Run) -> list[str]:
    return list(run.events.values_list("name", flat=True))


@pytest.mark.django_db
def test_a_listener_that_fails_does_not_undo_the_end(workspace: Workspace) -> None:
    def fail(run: Run, **_: Any) -> None:
        RunEvent.objects.create(run=run, name="halfway")
        raise KeyError("gone")

    run = start(workspace)
    ending.run_finished.connect(fail)
    try:
        assert work(run.pk) == "succeeded"
    finally:
        ending.run_finished.disconnect(fail)
    assert events(run) == ["accepted", "running", "succeeded", "following_failed"]


@pytest.mark.django_db
@pytest.mark.parametrize("value", ["a\0b", "\ud800", float("nan"), {1, 2}, {"deep": object()}])
def test_a_result_that_no_database_takes_is_a_failure_and_not_a_run_without_end(
    workspace: Workspace, does: Any, value: Any
) -> None:
    does(lambda claimed: Outcome(result=value, logs="said \0 and \udfff"))
    run = start(workspace)
    state = work(run.pk)
    run.refresh_from_db()
    assert run.state in ("succeeded", "failed")
    assert run.result == (value if run.state == "succeeded" else None)
    assert run.logs == "said \ufffd and ?"
    assert state is not None
    assert run.events.filter(is_terminal=True).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("connection already closed")])
def test_an_end_waits_for_a_database_that_is_away(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    tries: list[int] = []
    finish = working.finish

    def flaky(*arguments: Any) -> bool:
        tries.append(1)
        if len(tries) < 3:
            raise error
        return finish(*arguments)

    monkeypatch.setattr(working, "finish", flaky)
    monkeypatch.setattr(working, "close_old_connections", lambda: None)
    run = start(workspace)
    assert work(run.pk) == "succeeded"
    run.refresh_from_db()
    assert (run.state, len(tries)) == ("succeeded", 3)


@pytest.mark.django_db
def test_a_run_that_cannot_be_taken_now_waits(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(run_id: Any) -> None:
        raise InterfaceError("connection already closed")

    monkeypatch.setattr(working, "claim", away)
    monkeypatch.setattr(working, "close_old_connections", lambda: None)
    run = start(workspace)
    assert work(run.pk) is None
    run.refresh_from_db()
    assert run.state == "accepted"


@pytest.mark.django_db
@pytest.mark.parametrize(("retry_safe", "state"), [(True, "accepted"), (False, "lost")])
def test_a_process_that_is_ended_in_the_middle_gives_up_its_lease(
    workspace: Workspace, does: Any, retry_safe: bool, state: str
) -> None:
    def end(claimed: ClaimedRun) -> Outcome:
        raise SystemExit(1)

    does(end)
    run = start(workspace, retry_safe=retry_safe, max_attempts=2)
    with pytest.raises(SystemExit):
        work(run.pk)
    assert dispatch.reap() == 1
    run.refresh_from_db()
    assert run.state == state


@pytest.mark.django_db
def test_a_failed_run_that_is_to_be_cancelled_is_not_tried_again(workspace: Workspace) -> None:
    run = start(workspace, retry_safe=True, max_attempts=3)
    claimed = claim(run.pk)
    assert claimed is not None
    dispatch.cancel(run)
    assert ending.finish(claimed.run, claimed.fence, states.FAILED, None, {"name": "E"}, "")
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("failed", 1)


@pytest.mark.django_db
def test_the_end_of_a_run_that_was_deleted_is_dropped(workspace: Workspace, does: Any) -> None:
    def delete(claimed: ClaimedRun) -> Outcome:
        claimed.run.events.all().delete()
        Run.objects.filter(pk=claimed.run.pk).delete()
        return Outcome()

    does(delete)
    assert work(start(workspace).pk) is None
    assert not RunEvent.objects.exists()


@pytest.mark.django_db
def test_a_wrong_clock_here_does_not_hold_a_run_back(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = timezone.now() + timedelta(hours=4)
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    run = start(workspace)
    monkeypatch.undo()
    assert work(run.pk) == "succeeded"


@pytest.mark.django_db
def test_pruning_goes_on_past_one_batch(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_BATCH", 2)
    for _ in range(5):
        work(start(workspace).pk)
    Run.objects.update(finished_at=Now() - timedelta(days=31))
    assert dispatch.prune() == 5
    assert not RunEvent.objects.exists()


@pytest.mark.django_db
def test_what_was_begun_in_a_transaction_that_fails_is_never_sent(
    workspace: Workspace, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        with suppress(KeyError), transaction.atomic():
            start(workspace)
            raise KeyError
        with transaction.atomic(), transaction.atomic():
            start(workspace)
    assert len(callbacks) == 1
    assert Run.objects.count() == 1


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The folder of messages, empty and this test's own."""
    from stackyard.celery import app

    for key in ("data_folder_in", "data_folder_out"):
        monkeypatch.setitem(app.conf.broker_transport_options, key, str(tmp_path))
    # Celery keeps connections: to the folder of before, and after the test to this one.
    app._after_fork()
    courier.reset()
    yield tmp_path
    app._after_fork()


def send_again() -> int:
    """Let time pass and sweep; how many messages were in the courier's hands."""
    Run.objects.update(dispatched_at=Now() - timedelta(seconds=settings.RUN_SEND_AGAIN_SECONDS + 1))
    courier._depth_at = -10.0
    sent = dispatch.sweep()
    assert courier.flush(10)
    return sent


@pytest.mark.django_db
def test_a_long_queue_does_not_grow_and_a_lost_one_is_filled_again(
    workspace: Workspace, messages: Path, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(6):
            start(workspace)
    assert courier.flush(10)
    assert len(list(messages.glob("*.msg"))) == 6
    for _ in range(3):
        assert send_again() == 6
    assert len(list(messages.glob("*.msg"))) == 6
    for path in list(messages.glob("*.msg"))[:4]:
        path.unlink()
    send_again()
    assert len(list(messages.glob("*.msg"))) == 6


def test_a_message_that_was_left_half_written_stops_nobody(messages: Path) -> None:
    from stackyard.celery import app

    (messages / "0_empty.celery.msg").touch()
    (messages / "1_torn.celery.msg").write_text('{"body": "')
    half = messages / "2_half.celery.msg.half"
    half.write_text("{")
    with app.connection_for_write() as connection:
        queue = connection.SimpleQueue("celery")
        queue.put({"run": 1})
        message = queue.get(timeout=5)
        message.ack()
        assert message.payload == {"run": 1}
        with pytest.raises(queue.Empty):
            queue.get(block=False)
    assert [path.name for path in messages.glob("*.msg*") if path.suffix != ".taken"] == [half.name]
    assert folder.sweep_leftovers(messages) == 0, "it may be being written now"


def test_what_killed_processes_left_is_removed_after_a_minute(messages: Path) -> None:
    old = time.time() - 61
    for name in ("1_a.celery.msg.half", "2_b.celery.msg.taken", "3_c.celery.msg"):
        (messages / name).touch()
        os.utime(messages / name, (old, old))
    assert folder.sweep_leftovers(messages) == 2
    assert [path.name for path in messages.iterdir()] == ["3_c.celery.msg"]


@pytest.mark.django_db
def test_after_an_outage_the_workers_come_before_the_reaper(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def away() -> int:
        calls.append("tick")
        raise InterfaceError("connection already closed")

    def reap() -> int:
        calls.append("reap")
        return 0

    monkeypatch.setattr(beat.schedule, "tick", away)
    monkeypatch.setattr(beat.dispatch, "reap", reap)
    monkeypatch.setattr(beat, "close_old_connections", lambda: None)
    beat.Waker().wake()
    assert calls == ["tick"]


@pytest.mark.django_db
def test_a_deed_that_the_database_always_refuses_does_not_keep_the_reaper_away(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    seconds, reaped = [0.0], []

    def refused() -> int:
        raise ProgrammingError("column does not exist")

    monkeypatch.setattr(beat, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    monkeypatch.setattr(beat.schedule, "tick", refused)
    monkeypatch.setattr(beat.dispatch, "reap", lambda: reaped.append(seconds[0]))
    monkeypatch.setattr(beat, "close_old_connections", lambda: None)
    waker = beat.Waker()
    for second in range(30):
        seconds[0] = float(second)
        waker.wake()
    assert reaped[0] <= settings.RUN_LEASE_SECONDS / 3
    assert len(reaped) >= 4


def test_settings_with_which_celery_loses_runs_are_refused(settings: Any) -> None:
    assert check_celery() == []
    settings.CELERY_TASK_ACKS_LATE = False
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    said = " ".join(error.msg for error in check_celery())
    assert "CELERY_TASK_ACKS_LATE must be True" in said
    assert "socket_timeout" in said


@pytest.mark.django_db
def test_a_deed_that_fails_does_not_keep_the_others_from_being_done(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def fail() -> int:
        raise KeyError("a bug")

    monkeypatch.setattr(beat.schedule, "tick", fail)
    monkeypatch.setattr(beat.dispatch, "reap", lambda: calls.append("reap"))
    beat.Waker().wake()
    assert calls == ["reap"]


@pytest.mark.django_db
def test_a_run_that_may_be_repeated_is_never_lost(workspace: Workspace) -> None:
    run = start(workspace, retry_safe=True, max_attempts=1)
    assert claim(run.pk) is not None
    Run.objects.filter(pk=run.pk).update(lease_until=Now() - timedelta(seconds=1))
    assert dispatch.reap() == 1
    run.refresh_from_db()
    assert run.error is not None
    assert (run.state, run.error["code"]) == ("failed", "WORKER_DIED")


@pytest.mark.django_db(transaction=True)
def test_of_many_who_claim_or_cancel_at_once_one_has_it() -> None:
    workspace = factories.make_workspace()
    for _ in range(5):
        run = start(workspace)
        outcomes = at_once([partial(claim, run.pk)] * 6 + [partial(_cancel, run.pk)] * 2)
        run.refresh_from_db()
        claims = sum(outcome is not None and outcome is not True for outcome in outcomes)
        assert claims <= 1
        assert (run.state == "cancelled") == (claims == 0)
        assert run.attempt == run.fence - (run.state == "cancelled") == claims
        assert events(run).count("running") == claims


@pytest.mark.django_db(transaction=True)
def test_of_a_reaper_and_a_late_writer_one_ends_it() -> None:
    workspace = factories.make_workspace()
    for _ in range(5):
        run = start(workspace)
        claimed = claim(run.pk)
        assert claimed is not None
        Run.objects.filter(pk=run.pk).update(lease_until=Now() - timedelta(seconds=1))
        late = partial(ending.finish, claimed.run, claimed.fence, states.SUCCEEDED, 1, None, "")
        at_once([dispatch.reap, dispatch.reap, late])
        run.refresh_from_db()
        assert run.state in ("lost", "succeeded")
        assert list(run.events.filter(is_terminal=True).values_list("name", flat=True)) == [run.state]


def _cancel(pk: Any) -> bool | None:
    from stackyard.core.errors import Problem

    try:
        dispatch.cancel(Run.objects.get(pk=pk))
    except Problem:
        return None
    return True


def at_once(deeds: list[Callable[[], Any]]) -> list[Any]:
    """Do all at the same time, each on a connection of its own; what each gave."""
    barrier = threading.Barrier(len(deeds))
    given: list[Any] = [None] * len(deeds)

    def do(number: int) -> None:
        try:
            barrier.wait()
            given[number] = deeds[number]()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=do, args=(number,)) for number in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given
