"""Lambdas, their schedules and runs in the console."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from lambdas import publishing
from lambdas.models import Lambda
from lambdas.running import start_lambda
from stackyard.console import sketches
from stackyard.core import workspaces
from stackyard.core.models import Workspace
from stackyard.runs.models import Run, Schedule
from stackyard.runs.working import work
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "history"])

SETTINGS = {
    "name": "half",
    "description": "",
    "triggers": "- schedule: {cron: '0 2 * * *', timezone: Europe/Berlin}\n- webhook: {}\n",
    "timeout": "30",
    "memory_mb": "128",
    "max_attempts": "3",
    "catch_up": "last",
    "network": "api.example.com\n*.example.org",
}
CODE = "console.log('got', input.n);\r\nreturn input.n / 2;"


@pytest.fixture
def shop(db: None) -> Workspace:
    return factories.make_workspace()


@pytest.fixture
def half(console: Client, shop: Workspace) -> Lambda:
    """A new lambda, made in the console."""
    given = {"workspace": shop.pk, "name": "half", "description": ""}
    assert console.post("/admin/lambdas/lambda/add/", given).status_code == 302
    return Lambda.objects.get()


@pytest.fixture
def live(half: Lambda) -> Lambda:
    """The lambda of SETTINGS and CODE, published."""
    triggers = [{"schedule": {"cron": "0 2 * * *", "timezone": "Europe/Berlin"}}, {"webhook": {}}]
    publishing.save_draft(half, {"name": "half", "code": CODE.replace("\r", ""), "triggers": triggers})
    publishing.publish(half)
    return half


def page_of(target: Lambda) -> str:
    return f"/admin/lambdas/lambda/{target.pk}/change/"


def send(console: Client, target: Lambda, do: str, **more: Any) -> tuple[int, str]:
    """Press a button of the editor; the page that comes of it."""
    target.refresh_from_db()
    given = {"do": do, "text": CODE, "seen": sketches.digest_of(target.draft), "inputs": '{"n": 42}'}
    answer = console.post(page_of(target), {**SETTINGS, **given, **more}, follow=True)
    return answer.status_code, unescape(answer.content.decode())


def test_a_new_lambda_opens_in_the_editor_with_code_that_runs(console: Client, half: Lambda) -> None:
    text = unescape(console.get(page_of(half)).content.decode())
    assert "return { hello };" in text
    assert 'data-editor="kept"' in text
    assert publishing.check(half, half.draft).faults == []


def test_a_lambda_has_no_addresses_of_the_stack_editor(console: Client, half: Lambda) -> None:
    for part in ("", "check/", "yaml/", "publish/"):
        answer = console.post(
            f"/admin/lambdas/lambda/{half.pk}/editor/{part}", b"{}", content_type="application/json"
        )
        assert answer.status_code in (302, 404), part


def test_code_and_settings_are_saved_and_published(console: Client, half: Lambda) -> None:
    workspaces.create_variable(half.workspace, "MAIL", "a@example.com")
    status, text = send(console, half, "save", variables=["MAIL"], retry_safe="on")
    assert (status, "The draft is saved." in text) == (200, True)
    half.refresh_from_db()
    assert half.published is None
    assert half.draft == {
        "name": "half",
        "description": "",
        "code": CODE.replace("\r", ""),
        "timeout": 30,
        "memory_mb": 128,
        "retry_safe": True,
        "max_attempts": 3,
        "catch_up": "last",
        "fresh_process": False,
        "variables": ["MAIL"],
        "network": ["api.example.com", "*.example.org"],
        "triggers": [
            {"schedule": {"cron": "0 2 * * *", "timezone": "Europe/Berlin"}},
            {"webhook": {}},
        ],
    }
    _, text = send(console, half, "publish", message="First", variables=["MAIL"], retry_safe="on")
    assert "Published: version 1 is live." in text
    assert "/hook:" in text
    assert (Schedule.objects.get().catch_up, len(re.findall(r"<time ", text))) == ("last", 3)
    # What the page shows is what is saved: pressing Save again changes nothing.
    shown = console.get(page_of(half))
    assert "Text not saved" not in shown.content.decode()


def test_faults_stand_at_their_line_and_at_their_setting(console: Client, half: Lambda) -> None:
    more = {"text": "return 1;\r\nconst b = ;", "timeout": "soon", "network": "http://x"}
    _, text = send(console, half, "check", **more, triggers="- shedule: {}")
    assert '<a href="#line-2" data-line="2" data-column="11" data-level="error">' in text
    assert '"timeout" is a whole number from 1 to 300.' in text
    assert 'Did you mean "schedule"?' in text
    assert '"http://x" is not a host.' in text
    assert 'value="soon"' in text
    _, text = send(console, half, "publish", **more)
    assert "Not published: mend what is marked first. The draft is saved." in text
    half.refresh_from_db()
    assert (half.draft["timeout"], half.published) == ("soon", None)
    assert 'value="soon"' in console.get(page_of(half)).content.decode()


def test_triggers_that_cannot_be_read_are_not_saved_and_not_lost(console: Client, half: Lambda) -> None:
    before = half.draft
    _, text = send(console, half, "save", triggers="- schedule: {cron: ")
    assert "Not saved: the settings cannot be read." in text
    assert "- schedule: {cron: " in text
    assert 'data-editor="unsaved"' in text
    half.refresh_from_db()
    assert half.draft == before


def test_a_draft_that_somebody_else_saved_is_not_overwritten_unseen(console: Client, half: Lambda) -> None:
    old = sketches.digest_of(half.draft)
    publishing.save_draft(half, {**half.draft, "code": "return 'theirs'"})
    _, text = send(console, half, "save", seen=old)
    assert "the draft was changed since you opened this page" in text
    assert "-return 'theirs'" in text
    half.refresh_from_db()
    assert half.draft["code"] == "return 'theirs'"


def test_a_run_shows_result_and_logs_or_the_error_with_its_line(console: Client, half: Lambda) -> None:
    _, text = send(console, half, "try")
    assert '<pre class="body" tabindex="0" id="trial-body">21</pre>' in text
    assert "got 42" in text
    _, text = send(console, half, "try", text="\nthrow new TypeError('<b>mine</b>')")
    assert "<strong>TypeError</strong>" in text
    assert 'data-line="2"' in text
    raw = console.post(
        page_of(half), {**SETTINGS, "do": "try", "text": "throw new Error('<b>x</b>')"}
    ).content
    assert b"<b>x</b>" not in raw
    _, text = send(console, half, "try", inputs="{")
    assert "Not run:" in text
    assert not Run.objects.exists()
    # The inputs of the last run come back.
    send(console, half, "try", inputs='{"n": 7}')
    assert '{"n": 7}' in unescape(console.get(page_of(half)).content.decode())


def test_a_worker_runs_what_is_live_and_the_run_is_shown(console: Client, live: Lambda) -> None:
    _, text = send(console, live, "start")
    assert "The run is accepted." in text
    assert "Cancel this run" in text
    run = Run.objects.get()
    assert (run.trigger, run.input) == ("console", {"n": 42})
    assert work(run.pk) == "succeeded"
    text = unescape(console.get(f"/admin/runs/run/{run.pk}/change/").content.decode())
    assert "got 42" in text
    assert '<pre class="body" tabindex="0">21</pre>' in text
    assert "owner@" in text or "builder" in text
    assert "Cancel this run" not in text


def test_what_a_run_holds_is_shown_as_text(console: Client, live: Lambda) -> None:
    publishing.save_draft(live, {**live.draft, "code": "console.log(input); throw new Error(input)"})
    publishing.publish(live)
    run = start_lambda(live, "<script>alert(1)</script>")
    work(run.pk)
    answer = console.get(f"/admin/runs/run/{run.pk}/change/")
    assert answer.status_code == 200
    assert b"<script>alert(1)" not in answer.content
    assert b"&lt;script&gt;alert(1)" in answer.content


def test_runs_are_filtered_and_cancelled(console: Client, live: Lambda) -> None:
    first, second = start_lambda(live, 1), start_lambda(live, 2)
    answer = console.post(f"/admin/runs/run/{first.pk}/cancel/", follow=True)
    assert "The run is cancelled." in answer.content.decode()
    again = console.post(f"/admin/runs/run/{first.pk}/cancel/", follow=True)
    assert "has ended already" in again.content.decode()
    console.get(f"/admin/runs/run/{second.pk}/cancel/")

    def found(query: str) -> set[str]:
        page = console.get(f"/admin/runs/run/?{query}")
        assert page.status_code in (200, 302)
        return set(re.findall(r"/admin/runs/run/([0-9a-f-]{36})/change/", page.content.decode()))

    assert found("") == {str(first.pk), str(second.pk)}
    assert found("state=cancelled") == {str(first.pk)}
    assert found(f"target=lambda-{live.pk}&kind=lambda") == {str(first.pk), str(second.pk)}
    assert found("target=lambda-99999999999") == set()
    assert found("target=nonsense&state=happy") == {str(first.pk), str(second.pk)}


def test_a_schedule_is_paused_and_resumed(console: Client, live: Lambda) -> None:
    schedule = Schedule.objects.get()
    url = f"/admin/lambdas/lambda/{live.pk}/schedules/{schedule.pk}/"
    text = console.post(url, {"paused": "on"}, follow=True).content.decode()
    assert "Resume" in text
    schedule.refresh_from_db()
    assert schedule.paused
    text = console.post(url, {"paused": "off"}, follow=True).content.decode()
    assert "Pause" in text
    schedule.refresh_from_db()
    assert not schedule.paused


def test_the_list_shows_state_triggers_and_the_last_run(console: Client, live: Lambda) -> None:
    run = start_lambda(live, {"n": 1})
    text = unescape(console.get("/admin/lambdas/lambda/").content.decode())
    assert "Live · v1" in text
    assert "0 2 * * *, webhook" in text
    assert f"/admin/runs/run/{run.pk}/change/" in text


def test_versions_are_compared_and_restored(console: Client, live: Lambda) -> None:
    publishing.save_draft(live, {**live.draft, "code": "return 'second'", "timeout": 7})
    base = f"/admin/lambdas/lambda/{live.pk}/revisions/"
    text = unescape(console.get(f"{base}1/").content.decode())
    assert "+return 'second'" in text
    assert "+timeout: 7" in text
    assert "v1" in console.get(base).content.decode()
    console.post(f"{base}1/restore/")
    live.refresh_from_db()
    assert live.draft["code"] == CODE.replace("\r", "")


def test_a_lambda_is_deleted(console: Client, live: Lambda) -> None:
    url = f"/admin/lambdas/lambda/{live.pk}/delete/"
    assert "Yes, delete this lambda" in console.get(url).content.decode()
    console.post(url)
    assert not Lambda.objects.exists()
    assert console.get(page_of(live)).status_code == 302


@pytest.mark.parametrize(
    "draft",
    [
        {"name": "half", "triggers": "x", "variables": 5, "network": {"a": 1}, "timeout": [1]},
        {"name": "half", "code": 5, "triggers": [5, {}], "catch_up": None, "retry_safe": "yes"},
        {"name": ["half"], "strange": True, "description": {"a": 1}},
        {},
    ],
)
def test_a_strange_draft_is_shown_all_the_same(console: Client, half: Lambda, draft: dict[str, Any]) -> None:
    publishing.save_draft(half, draft)
    text = console.get(page_of(half)).content.decode()
    assert 'id="marks-title"' in text
    for url in ("/admin/lambdas/lambda/", f"/admin/lambdas/lambda/{half.pk}/revisions/"):
        assert console.get(url).status_code == 200
