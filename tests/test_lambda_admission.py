"""When every process is taken: who waits is told so, what was accepted stays. And the same webhook sent twice is one run."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from lambdas import supervisor
from lambdas.models import Lambda, Trigger
from lambdas.publishing import create_lambda, publish
from lambdas.running import start_lambda
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.runs.models import Run
from stackyard.runs.working import work
from tests import factories
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def half(workspace: Workspace) -> Lambda:
    target = create_lambda(
        workspace, {"name": "half", "code": "return input?.n / 2", "triggers": [{"webhook": {}}]}
    )
    publish(target)
    return target


@pytest.fixture
def full(half: Lambda, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Every process is taken, until this is undone."""
    pool = supervisor.default()

    def refuse(*_: Any, **__: Any) -> None:
        raise Problem("BUSY", "Every place where lambdas run is taken.", headers={"Retry-After": "1"})

    monkeypatch.setattr(pool, "run", refuse)
    return monkeypatch


def test_who_waits_is_told_when_to_come_back(client: Door, half: Lambda, full: pytest.MonkeyPatch) -> None:
    lines = [{"step": "run_lambda", "as": "got", "params": {"lambda": "half", "input": {"n": 4}}}]
    group = factories.make_group(half.workspace)
    factories.make_endpoint(group, "/half", lines=lines, response={"$expr": "got"})
    refused = client.get("/api:shop/half")
    assert (refused.status, refused.error["code"], refused.headers["retry-after"]) == (503, "BUSY", "1")
    full.undo()
    assert client.get("/api:shop/half").json() == 2


def test_an_accepted_run_waits_for_its_turn(half: Lambda, full: pytest.MonkeyPatch) -> None:
    run = start_lambda(half, {"n": 4})
    assert work(run.pk) == "accepted"
    assert work(run.pk) == "accepted"
    run.refresh_from_db()
    assert (run.state, run.attempt, run.max_attempts, run.error) == ("accepted", 0, 1, None)
    full.undo()
    assert work(run.pk) == "succeeded"
    run.refresh_from_db()
    assert (run.result, run.attempt) == (2, 1)


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
