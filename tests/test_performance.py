"""The page Performance: charts with goals and their numbers as tables, kinds of errors, slow steps, schedules."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from endpoints.history import history
from endpoints.models import Endpoint, HistoryEntry
from endpoints.rollups import Tally
from endpoints.slow_steps import slow_steps
from lambdas.publishing import create_lambda
from lambdas.publishing import publish as publish_lambda
from stackyard.console import activity
from stackyard.runs import health, schedule
from stackyard.runs.models import MissedTime, Schedule
from tests import factories
from tests.browsing import Watched, check_accessibility, picture, set_theme
from tests.doors import Door
from tests.matrix import EVERY_HOUR
from tests.test_monitoring import noted

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])


def counted(endpoint: Endpoint, hours: int = 24) -> None:
    """Calls of the last hours: a quiet line, a slow stretch, some failures, and one trace."""
    tally, now = Tally(), time.time()
    for step in range(hours * 4):
        at = now - step * 900
        for call in range(6):
            slow = 900 if 20 < step < 26 and call == 0 else 20 + (step * call) % 60
            failed = 30 < step < 34 and call == 1
            tally.count(
                noted(
                    endpoint.pk,
                    at,
                    slow,
                    500 if failed else 200,
                    "INTERNAL_ERROR" if failed else "",
                    workspace=endpoint.group.workspace_id,
                )
            )
    tally.write()


@pytest.fixture
def signed_in() -> Client:
    browser = Client()
    browser.force_login(factories.make_owner())
    activity._held.clear()
    return browser


def test_the_page_shows_what_happened_and_leads_to_it(signed_in: Client, client: Door) -> None:
    workspace = factories.make_workspace()
    group = factories.make_group(workspace)
    assert "No call in this time" in signed_in.get("/admin/performance/").content.decode()
    lines = [{"id": "nap", "step": "set_variable", "params": {"name": "x", "value": 1}}]
    endpoint = factories.make_endpoint(group, "/traced", trace=True, lines=lines)
    client.get("/api:shop/traced")
    client.get("/api:shop/traced?nothing=known")
    history.flush()
    shown = signed_in.get("/admin/performance/").content.decode()
    entry = HistoryEntry.objects.filter(status=400).get()
    assert f"?q={entry.request_id}" in shown
    assert "INVALID_INPUT" in shown
    assert "set_variable" in shown
    assert f"?range=24h&amp;endpoint={endpoint.pk}" in shown
    (step,) = slow_steps(workspace.pk, time.time() - 60)
    assert (step.line, step.step, step.calls) == ("nap", "set_variable", 1)
    for query in (
        "range=1h",
        "range=30d&endpoint=999",
        "range=%00&endpoint=x",
        f"endpoint={endpoint.pk}",
        "endpoint=" + "9" * 30,
    ):
        assert signed_in.get(f"/admin/performance/?{query}").status_code == 200, query
    home = signed_in.get("/admin/").content.decode()
    assert re.search(r"<dt>Requests</dt><dd>2</dd>", home)


def test_a_point_leads_to_its_stretch_of_the_history(signed_in: Client) -> None:
    workspace = factories.make_workspace()
    endpoint = factories.make_endpoint(factories.make_group(workspace))
    base: dict[str, Any] = {
        "workspace_id": workspace.pk,
        "group_id": 1,
        "endpoint_id": endpoint.pk,
        "method": "GET",
        "status": 200,
        "duration_us": 1,
    }
    for second in (1_700_000_000, 1_700_000_059, 1_700_000_060):
        HistoryEntry.objects.create(
            **base, request_id=str(second), path=f"/at-{second}", created_at=second * 1000
        )
    shown = signed_in.get("/admin/endpoints/historyentry/?at=1700000000-60").content.decode()
    assert [f"/at-{second}" in shown for second in (1_700_000_000, 1_700_000_059, 1_700_000_060)] == [
        True,
        True,
        False,
    ]
    assert "/at-1700000060" in signed_in.get("/admin/endpoints/historyentry/?at=1700000000").content.decode()
    assert signed_in.get("/admin/endpoints/historyentry/?at=17-x").status_code == 200


def test_schedules_say_what_they_missed() -> None:
    workspace = factories.make_workspace()
    publish_lambda(create_lambda(workspace, {"name": "hourly", "code": "return 1", "triggers": [EVERY_HOUR]}))
    one = Schedule.objects.get()
    start = one.anchor_at
    (before,) = health.schedule_health(workspace.pk, start, start)
    assert (before.missed, before.is_overdue) == (0, False)
    # The schedulers were away for three and a half hours; the times of that are let go, and said to be missed.
    later = start + timedelta(hours=3, minutes=30)
    (away,) = health.schedule_health(workspace.pk, start, later)
    assert away.is_overdue
    schedule.tick(later)
    (after,) = health.schedule_health(workspace.pk, start, later)
    assert (after.missed, after.is_overdue) == (3, False)
    assert set(MissedTime.objects.values_list("reason", flat=True)) == {"late"}
    assert health.missed_runs(workspace.pk, start, later + timedelta(seconds=1)) == 3
    schedule.tick(start + timedelta(hours=4))
    schedule.tick(start + timedelta(hours=5))
    assert MissedTime.objects.filter(reason="busy").count() == 1
    assert health.prune_missed(timezone.now() + timedelta(days=40)) == 4


def test_charts_in_a_browser(watched: Watched) -> None:
    page = watched.page

    def make() -> int:
        try:
            endpoint = factories.make_endpoint(
                factories.make_group(factories.make_workspace()), "/a/long/path/{id}", inputs={"id": "int"}
            )
            counted(endpoint)
            return endpoint.pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as maker:
        pk = maker.submit(make).result()
    for theme in ("light", "dark"):
        set_theme(page, theme)
        page.goto("/admin/performance/")
        page.locator(".chart canvas").nth(2).wait_for()
        check_accessibility(page)
        picture(page, f"performance-{theme}")
    titles = page.locator(".chart figcaption > span:first-child").all_inner_texts()
    assert titles == ["Response time", "Error rate (5xx)", "Throughput (requests a minute)"]
    for width in (360, 768, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(
            "document.querySelector('.chart .uplot').clientWidth <= document.documentElement.clientWidth"
        )
        assert page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        ), width
        picture(page, f"performance-{width}")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_text("As a table").first.click()
    table = page.locator(".chart table").first
    assert table.locator("th[scope=col]").all_inner_texts() == ["Time", "p50", "p95", "p99"]
    assert table.locator("tbody tr").count() == 96
    check_accessibility(page)
    page.get_by_role("combobox", name="Endpoint").select_option(str(pk))
    page.get_by_role("button", name="Show").click()
    page.locator(".chart canvas").nth(2).wait_for()
    page.locator(".u-over").first.click(position={"x": 200, "y": 60})
    page.wait_for_url(re.compile(rf"/historyentry/\?endpoint={pk}&at=\d+-900"))
