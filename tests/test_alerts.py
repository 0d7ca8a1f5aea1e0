"""Alerts: one message when it goes wrong, one when it is well again, and who may not be written to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.db import connections
from standardwebhooks.webhooks import Webhook

from endpoints.rollups import Tally
from stackyard.alerts.models import AlertRule, Incident
from stackyard.alerts.rules import change_rule, create_rule
from stackyard.alerts.watching import EVERY_SECONDS, watch
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.core.secrets import decrypt
from stackyard.runs import states
from stackyard.runs.beat import Waker
from stackyard.runs.models import MissedTime, Run, Schedule
from stackyard.runs.working import work
from tests import factories
from tests.matrix import ALERT
from tests.outside import Answer, Outside
from tests.test_monitoring import noted

pytestmark = pytest.mark.django_db(databases=["default", "history"])
NOON = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def shop() -> Workspace:
    return factories.make_workspace("shop")


def calls(
    shop: Workspace, at: datetime, good: int = 0, bad: int = 0, milliseconds: float = 5, endpoint: int = 7
) -> None:
    tally = Tally()
    for number in range(good + bad):
        status = 500 if number < bad else 200
        tally.count(noted(endpoint, at.timestamp(), milliseconds, status, workspace=shop.pk))
    tally.write()


def told() -> list[str]:
    """Do the messages that wait; their subjects so far."""
    for run in Run.objects.filter(kind="alert", state=states.ACCEPTED):
        work(run.pk)
    return [message.subject for message in outbox.outbox]


def test_an_incident_is_told_once_and_its_end_once(shop: Workspace) -> None:
    create_rule(shop, **ALERT)
    calls(shop, NOON, good=90, bad=10)
    assert [watch(NOON + timedelta(seconds=turn)) for turn in range(3)] == [1, 0, 0]
    assert told() == ["[Stackyard] Alert: new (shop)"]
    text = outbox.outbox[0].body
    assert "10.0 %" in text
    assert "1.0 %" in text
    assert [watch(NOON + timedelta(minutes=minutes)) for minutes in (4, 6, 7)] == [0, 1, 0]
    assert told() == ["[Stackyard] Alert: new (shop)", "[Stackyard] Resolved: new (shop)"]
    incident = Incident.objects.get()
    assert (incident.opened_at, incident.resolved_at) == (NOON, NOON + timedelta(minutes=6))
    later = NOON + timedelta(hours=1)
    calls(shop, later, good=10, bad=10)
    assert watch(later) == 1
    assert len(told()) == 3


def test_few_calls_and_calls_at_the_threshold_say_nothing(shop: Workspace) -> None:
    create_rule(shop, **ALERT)
    calls(shop, NOON, bad=9)
    assert watch(NOON) == 0
    calls(shop, NOON, good=891)
    assert watch(NOON) == 0, "9 of 900 are 1 %, which is not above it"
    calls(shop, NOON, bad=1)
    assert watch(NOON) == 1


def test_the_response_time_of_one_endpoint(shop: Workspace) -> None:
    endpoint = factories.make_endpoint(factories.make_group(shop))
    create_rule(shop, **{**ALERT, "measure": "p95", "threshold": 500.0, "endpoint": endpoint})
    calls(shop, NOON, good=100, milliseconds=900)
    assert watch(NOON) == 0, "another endpoint is slow"
    calls(shop, NOON, good=100, milliseconds=900, endpoint=endpoint.pk)
    assert watch(NOON) == 1
    told()
    assert "Response time (p95) of GET /things: " in outbox.outbox[0].body


def test_failed_and_missed_runs(shop: Workspace) -> None:
    create_rule(shop, **{**ALERT, "name": "failed", "measure": "failed_runs", "threshold": 0.0})
    create_rule(shop, **{**ALERT, "name": "missed", "measure": "missed_runs", "threshold": 0.0})
    base: dict[str, Any] = {
        "workspace": shop,
        "target_id": 1,
        "target_name": "x",
        "trigger": "api",
        "run_after": NOON,
    }
    failed = {"state": states.FAILED, "finished_at": NOON - timedelta(seconds=10)}
    # A message that could not be sent must not be an incident of its own.
    Run.objects.create(**base, **failed, kind="alert")
    assert watch(NOON) == 0
    Run.objects.create(**base, **failed, kind="lambda")
    assert watch(NOON) == 1
    schedule = Schedule.objects.create(
        workspace=shop, kind="lambda", target_id=1, every_seconds=60, anchor_at=NOON
    )
    MissedTime.objects.create(
        workspace=shop, schedule=schedule, nominal_at=NOON, reason="late", noted_at=NOON
    )
    assert watch(NOON + timedelta(seconds=1)) == 1
    assert {incident.rule.name for incident in Incident.objects.all()} == {"failed", "missed"}
    assert watch(NOON + timedelta(minutes=10)) == 2


def test_a_webhook_is_signed_and_tried_again(shop: Workspace, outside: Outside) -> None:
    answers = iter([Answer(503), Answer(204)])
    server = outside.serve("hooks.example.com", lambda _: next(answers))
    _, secret = create_rule(
        shop, **{**ALERT, "channel": "webhook", "target": "http://hooks.example.com/alerts"}
    )
    calls(shop, NOON, bad=20)
    watch(NOON)
    run = Run.objects.get()
    assert work(run.pk) != "succeeded"
    Run.objects.filter(state=states.ACCEPTED).update(run_after=NOON - timedelta(days=400))
    assert work(run.pk) == "succeeded"
    sent = server.received[-1]
    message = Webhook(secret).verify(sent.body, dict(sent.headers))
    assert (message["type"], message["data"]["value"], message["data"]["rule"]) == (
        "alert.opened",
        1.0,
        "new",
    )
    assert {one.headers["webhook-id"] for one in server.received} == {str(run.pk)}
    rule = AlertRule.objects.get()
    assert secret not in rule.sealed_secret
    assert decrypt(rule.sealed_secret).reveal() == secret


def test_a_webhook_reaches_no_private_address(shop: Workspace) -> None:
    create_rule(shop, **{**ALERT, "channel": "webhook", "target": "http://169.254.169.254/latest"})
    calls(shop, NOON, bad=20)
    watch(NOON)
    run = Run.objects.get()
    work(run.pk)
    run.refresh_from_db()
    assert "ADDRESS_REFUSED" in str(run.error)


def test_two_schedulers_at_once_open_one_incident(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from stackyard.alerts import watching

    create_rule(shop, **ALERT)
    calls(shop, NOON, bad=20)
    real = watching._open

    def second_first(*args: Any) -> int:
        monkeypatch.setattr(watching, "_open", real)
        assert watch(NOON) == 1
        return real(*args)

    monkeypatch.setattr(watching, "_open", second_first)
    assert watch(NOON) == 0
    assert Incident.objects.count() == Run.objects.count() == 1


def test_the_scheduler_looks_at_the_rules() -> None:
    assert Waker()._every[watch] == EVERY_SECONDS
    connections.close_all()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"measure": "moon"}, "measure"),
        ({"threshold": 1.5}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"window_minutes": 0}, "window_minutes"),
        ({"window_minutes": 1441}, "window_minutes"),
        ({"target": "nobody"}, "target"),
        ({"channel": "webhook", "target": "ftp://x"}, "target"),
        ({"channel": "pigeon"}, "channel"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(shop: Workspace, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Problem) as refused:
        create_rule(shop, **{**ALERT, **wrong})
    assert [detail.field for detail in refused.value.details] == [field]


def test_a_changed_rule_begins_anew(shop: Workspace) -> None:
    rule, _ = create_rule(shop, **ALERT)
    calls(shop, NOON, bad=20)
    watch(NOON)
    change_rule(rule, {"threshold": 0.5})
    assert not Incident.objects.exists()
    assert watch(NOON) == 1
