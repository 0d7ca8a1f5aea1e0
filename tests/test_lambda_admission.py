"""When every process is taken: who waits is told so, what was accepted stays. And the same webhook sent twice is one run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from lambdas import supervisor
from lambdas.models import Lambda, Trigger
from lambdas.publishing import create_lambda, publish
from lambdas.running import start_lambda
from lambdas.supervisor import Supervisor
from stackyard.core.models import Workspace
from stackyard.runs.models import Run
from stackyard.runs.working import work
from tests import factories
from tests.doors import Door
from tests.slots import Answers, make_launcher, run

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def half(workspace: Workspace) -> Lambda:
    target = create_lambda(
        workspace, {"name": "half", "code": "return input?.n / 2", "triggers": [{"webhook": {}}]}
    )
    publish(target)
    return target


@pytest.fixture
def full(half: Lambda, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """The only process there may be is taken, until this is called."""
    pool = Supervisor(
        make_launcher("process", tmp_path / "lambdas"), tmp_path / "slots", slots=1, wait_seconds=0.2
    )
    inside, leave = threading.Event(), threading.Event()
    answers = Answers({"db.wait": lambda: (inside.set(), leave.wait(60))[1]})
    with ThreadPoolExecutor(1) as thread:
        taken = thread.submit(run, pool, "return await db.wait()", answers, key="other")
        assert inside.wait(30)
        monkeypatch.setattr(supervisor, "_default", pool)

        def end() -> None:
            leave.set()
            assert taken.result(30).value is True

        yield end
        leave.set()
    pool.close()


def test_who_waits_is_told_when_to_come_back(client: Door, half: Lambda, full: Callable[[], None]) -> None:
    lines = [{"step": "run_lambda", "as": "got", "params": {"lambda": "half", "input": {"n": 4}}}]
    group = factories.make_group(half.workspace)
    factories.make_endpoint(group, "/half", lines=lines, response={"$expr": "got"})
    refused = client.get("/api:shop/half")
    assert (refused.status, refused.error["code"], refused.headers["retry-after"]) == (503, "BUSY", "1")
    full()
    assert client.get("/api:shop/half").json() == 2


def test_an_accepted_run_waits_for_its_turn(half: Lambda, full: Callable[[], None]) -> None:
    begun = start_lambda(half, {"n": 4})
    assert work(begun.pk) == "accepted"
    assert work(begun.pk) == "accepted"
    begun.refresh_from_db()
    assert (begun.state, begun.attempt, begun.max_attempts, begun.error) == ("accepted", 0, 1, None)
    full()
    assert work(begun.pk) == "succeeded"
    begun.refresh_from_db()
    assert (begun.result, begun.attempt) == (2, 1)


def test_a_webhook_that_is_sent_again_is_the_same_run(half: Lambda) -> None:
    door = Door(WSGIHandler())
    address = f"/hook:{Trigger.objects.get(kind='webhook').key}"

    def send(key: str, body: dict[str, Any], **headers: str) -> Any:
        return door.post(address, body, headers={"Idempotency-Key": key, **headers})

    first = send("k1", {"n": 1}, X_Attempt="1")
    assert first.status == 202
    assert send("k1", {"n": 1}, X_Attempt="2").json() == first.json()
    assert send("k1", {"n": 2}).status == 409
    for key in ("", "x" * 201, "a b"):
        assert send(key, {"n": 1}).status == 400
    assert Run.objects.count() == 1
