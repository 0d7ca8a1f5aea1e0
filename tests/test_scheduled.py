"""What runs by the clock, and what runs once at a time: in the API and in the console."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from auth.keys import create_key
from lambdas.models import Lambda
from lambdas.publishing import create_lambda, delete_lambda, publish
from lambdas.running import start_lambda
from stackyard.console import sketches
from stackyard.core.models import Workspace
from stackyard.core.workspaces import create_variable
from stackyard.runs import dispatch, schedule, states
from stackyard.runs.leases import _beat, _heard
from stackyard.runs.models import Run, Schedule
from stackyard.runs.run_kind import ClaimedRun
from stackyard.runs.working import claim, work
from tests import factories
from tests.browsing import Watched, check_accessibility, picture
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])

TASKS = "/admin/runs/schedule/"


@pytest.fixture
def shop() -> Workspace:
    return factories.make_workspace("shop", timezone="Europe/Berlin")


@pytest.fixture
def nightly(shop: Workspace) -> Lambda:
    triggers = [
        {
            "schedule": {
                "cron": "0 2 * * *",
                "timezone": "Europe/Berlin",
                "catch_up": "last",
                "input": {"n": 4},
            }
        },
        {"schedule": {"every_seconds": 900}},
    ]
    document = {"name": "nightly", "code": "return (input?.n ?? 0) * 2", "triggers": triggers}
    target = create_lambda(shop, document)
    publish(target)
    return target


@pytest.fixture
def meta(shop: Workspace) -> Door:
    return Door(WSGIHandler()).with_key(create_key(shop, "manager", ["meta"])[1])


def make_due(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(run_after=Now())


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    return unescape(answer.content.decode())


# Once, at a time


def test_a_run_waits_for_its_time_and_then_has_its_own_input(meta: Door, nightly: Lambda) -> None:
    at = (timezone.now() + timedelta(hours=3)).isoformat()
    runs = "/api:meta/workspaces/shop/lambdas/nightly/runs"
    accepted = meta.post(runs, {"input": {"n": 21}, "run_at": at}, headers={"Idempotency-Key": "k"})
    assert (accepted.status, accepted.json()["state"]) == (202, "accepted")
    assert accepted.json()["run_after"][:19] == at[:19]
    assert (
        meta.post(runs, {"input": {"n": 21}, "run_at": at}, headers={"Idempotency-Key": "k"}).json()["id"]
        == (accepted.json()["id"])
    )
    run = Run.objects.get()
    assert work(run.pk) is None, "not before its time"
    assert dispatch.sweep() == 0
    make_due(run)
    assert dispatch.sweep() == 1
    assert work(run.pk) == "succeeded"
    run.refresh_from_db()
    assert run.result == 42


@pytest.mark.parametrize(
    "at",
    [
        "yesterday",
        "2026-01-01T00:00:00",
        "2020-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        99999999999999999,
        None,
        True,
        {},
    ],
)
def test_a_time_that_is_none_has_passed_or_is_far_away_is_refused(
    meta: Door, nightly: Lambda, at: Any
) -> None:
    refused = meta.post("/api:meta/workspaces/shop/lambdas/nightly/runs", {"run_at": at})
    assert (refused.status, [d["field"] for d in refused.error["details"]]) == (400, ["run_at"])
    assert not Run.objects.exists()


def test_a_waiting_run_is_cancelled_before_its_time(meta: Door, nightly: Lambda) -> None:
    run = start_lambda(nightly, run_after=timezone.now() + timedelta(days=1))
    assert meta.post(f"/api:meta/workspaces/shop/runs/{run.pk}/cancel").json()["state"] == "cancelled"
    make_due(run)
    assert (dispatch.sweep(), work(run.pk)) == (0, None)


def test_the_console_starts_a_run_for_later_and_takes_it_back(console: Client, nightly: Lambda) -> None:
    at = (datetime.now(ZoneInfo("Europe/Berlin")) + timedelta(days=2)).replace(
        microsecond=0, second=0, tzinfo=None
    )

    def send(run_at: str) -> str:
        sent = {"name": "nightly", "text": "return 1", "inputs": '{"n": 5}', "do": "later", "run_at": run_at}
        sent["seen"] = sketches.digest_of(nightly.draft)
        return text_of(console.post(f"/admin/lambdas/lambda/{nightly.pk}/change/", sent, follow=True))

    assert "Choose a day and a time." in send("")
    assert "This time has passed." in send("2020-01-01T10:00")
    assert not Run.objects.exists()
    due = at.replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    assert f"It is due at {due:%Y-%m-%d %H:%M:%S} UTC." in send(at.isoformat())
    run = Run.objects.get()
    assert (run.run_after, run.input) == (due, {"n": 5})
    for page in ("/admin/runs/run/", TASKS, f"/admin/lambdas/lambda/{nightly.pk}/change/"):
        assert f"{due:%Y-%m-%d %H:%M:%S}" in text_of(console.get(page))
    cancelled = console.post(f"/admin/runs/run/{run.pk}/cancel/", {"from": "scheduled"}, follow=True)
    assert "No run waits for a time of its own." in text_of(cancelled)
    run.refresh_from_db()
    assert run.state == states.CANCELLED


# By the clock


def test_all_schedules_are_on_one_page(console: Client, nightly: Lambda, shop: Workspace) -> None:
    cron = Schedule.objects.get(cron="0 2 * * *")
    assert cron.next_at is not None
    schedule.tick(cron.next_at + timedelta(seconds=1))
    run = Run.objects.get(nominal_at=cron.next_at)
    work(run.pk)
    shown = text_of(console.get(TASKS))
    assert "The last missed time is run" in shown
    assert "every 900 s" in shown
    assert f"/admin/runs/run/{run.pk}/change/" in shown
    assert "Succeeded" in shown
    assert len(re.findall(r"<time ", shown)) == 6
    assert len(re.findall(r"02:00 CES?T", shown)) == 3
    # Another workspace's are not on the page of this one.
    other = factories.make_workspace("club")
    publish(
        create_lambda(
            other, {"name": "hourly", "code": "", "triggers": [{"schedule": {"every_seconds": 3600}}]}
        )
    )
    assert "hourly" in text_of(console.get(TASKS))
    assert "hourly" not in text_of(console.get(f"{TASKS}?workspace={shop.pk}"))
    assert "hourly" in text_of(console.get(f"{TASKS}?workspace=nonsense"))


def test_a_schedule_is_paused_resumed_and_run_from_the_page(console: Client, nightly: Lambda) -> None:
    one = Schedule.objects.get(cron="0 2 * * *")
    shown = text_of(console.post(f"{TASKS}{one.pk}/pause/", {"paused": "on"}, follow=True))
    assert "None while it is paused" in shown
    one.refresh_from_db()
    assert one.paused
    shown = text_of(console.post(f"{TASKS}{one.pk}/run/", follow=True))
    run = Run.objects.get()
    assert (run.trigger, run.input, run.principal["kind"]) == ("console", {"n": 4}, "builder")
    assert "Cancel this run" in shown
    console.post(f"{TASKS}{one.pk}/pause/", {"paused": "off"})
    one.refresh_from_db()
    assert not one.paused
    for address in (f"{TASKS}{one.pk}/pause/", f"{TASKS}{one.pk}/run/", f"{TASKS}999/run/"):
        assert console.get(address).status_code == 302
    assert Run.objects.count() == 1
    delete_lambda(nightly)
    assert "Nothing runs by the clock yet" in text_of(console.get(TASKS))


def test_the_api_runs_a_schedule_now(meta: Door, nightly: Lambda) -> None:
    one = Schedule.objects.get(cron="0 2 * * *")
    started = meta.post(f"/api:meta/workspaces/shop/schedules/{one.pk}/runs", {})
    assert (started.status, started.json()["trigger"]) == (202, "api")
    assert Run.objects.get().input == {"n": 4}
    assert started.json()["url"] == f"/run:{Run.objects.get().pk}"


# While it runs


def test_logs_are_there_while_a_run_goes_on(console: Client, nightly: Lambda) -> None:
    create_variable(nightly.workspace, "TOKEN", "hush-hush-hush", is_secret=True)
    run = start_lambda(nightly)
    page = f"/admin/runs/run/{run.pk}/change/"
    assert 'data-live="on"' in text_of(console.get(page))
    claimed = claim(run.pk)
    assert isinstance(claimed, ClaimedRun)
    claimed.logs += ["first\n", "with hush-hush-", "hush\n"]
    assert _beat(claimed, renew=False, logs=_heard(claimed))
    shown = text_of(console.get(page))
    assert "first" in shown
    assert "so far" in shown
    assert "hush-hush" not in shown
    claimed.logs.append("x" * 200_000)
    assert len(_heard(claimed)) < 101_000
    dispatch.cancel(run)
    assert not _beat(claimed, renew=True, logs="late")


@pytest.mark.django_db(transaction=True, databases=["default", "history"])
def test_a_running_lambdas_words_are_written_as_they_come(shop: Workspace) -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():  # type: ignore[attr-defined]
        pytest.skip("one connection only")
    code = "console.log('half way'); while (!(await cache.get('go'))) await new Promise((r) => setTimeout(r, 50)); return 1"
    target = create_lambda(shop, {"name": "slow", "code": code, "timeout": 30})
    publish(target)
    run = start_lambda(target)
    worker = threading.Thread(target=work, args=(run.pk,))
    worker.start()
    try:
        give_up = timezone.now() + timedelta(seconds=20)
        while "half way" not in Run.objects.get(pk=run.pk).logs and timezone.now() < give_up:
            worker.join(0.1)
        seen = Run.objects.get(pk=run.pk)
        assert (seen.state, seen.logs) == (states.RUNNING, "half way\n")
    finally:
        from stackyard.core import cache

        cache.set(shop.pk, "go", True, 60)
        worker.join()
    run.refresh_from_db()
    assert (run.state, run.logs) == (states.SUCCEEDED, "half way\n")


# In a browser


def _worked(run_id: Any) -> str | None:
    """The state that a worker's turn ends in; SQLite may be taken by the server's request at that moment."""
    try:
        done = (work(run_id) or threading.Event().wait(0.2) for _ in range(20))
        return next((state for state in done if state), None)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True, databases=["default", "history"])
def test_a_runs_page_follows_the_run_and_everything_has_a_name(watched: Watched) -> None:
    page = watched.page
    shop = factories.make_workspace("shop", timezone="Europe/Berlin")
    triggers = [{"schedule": {"cron": "0 2 * * *", "timezone": "Europe/Berlin"}}]
    code = "console.log('adding up'); return { total: 42 }"
    target = create_lambda(shop, {"name": "nightly", "code": code, "triggers": triggers})
    publish(target)
    page.get_by_role("navigation", name="Console").get_by_role("link", name="Scheduled tasks").click()
    check_accessibility(page)
    picture(page, "scheduled-tasks")
    page.get_by_role("button", name="Run nightly now").click()
    expect(page.get_by_role("link", name="Refresh")).to_be_hidden()
    expect(page.locator(".facts")).to_contain_text("Accepted")
    cancel = page.locator(".run-progress").get_by_role("button", name="Cancel")
    cancel.focus()
    # In a thread of its own, as in a worker: the browser's event loop would give this one two connections.
    with ThreadPoolExecutor(1) as worker:
        assert worker.submit(_worked, Run.objects.get().pk).result(60) == "succeeded"
    expect(page.locator(".facts")).to_contain_text("Succeeded")
    expect(page.locator("[data-part=logs]")).to_contain_text("adding up")
    expect(page.locator("[data-part=result]")).to_contain_text('"total": 42')
    expect(cancel).to_have_count(0)
    expect(page.locator("[data-live]")).to_have_attribute("data-live", "off")
    check_accessibility(page)
    picture(page, "run")
