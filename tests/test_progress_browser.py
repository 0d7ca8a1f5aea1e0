"""What goes on in the background is seen on its page: bar, count, time left, Cancel; a reload changes nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import expect

from stackyard.runs import dispatch, statements
from stackyard.runs.ending import finish
from stackyard.runs.progress import Progress
from stackyard.tables.changes import create_table
from tests import factories
from tests.browsing import Watched, check_accessibility, picture, set_theme

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])


def elsewhere(deed: Callable[[], Any]) -> Any:
    """Do it in a thread of its own, as a worker does: the browser's event loop would give this one two connections."""

    def work() -> Any:
        try:
            return deed()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as worker:
        return worker.submit(work).result(60)


def claimed() -> tuple[Any, Progress]:
    """An import that a worker has begun."""
    shop = factories.make_workspace()
    table = create_table(shop, "orders", fields={"total": "int"})
    accepted = dispatch.start("import", shop, table.pk, target_name="orders", input={"file": "x"})
    run = statements.claim(accepted.pk, 600)
    assert run is not None
    progress = Progress(run, run.fence, threading.Event(), began=time.monotonic() - 600)
    progress.keep({"row": 0}, done=0, total=9000, phase="importing")
    return run, progress


def test_a_run_is_followed_through_a_reload_and_cancelled(watched: Watched) -> None:
    page = watched.page
    run, progress = elsewhere(claimed)
    page.goto(f"/admin/tables/table/{run.target_id}/change/")
    place = page.locator(".run-progress")
    expect(place).to_contain_text("CSV import")
    elsewhere(lambda: progress.keep({"row": 1200}, done=1200, total=9000, phase="importing"))
    for _ in range(2):
        expect(place).to_contain_text("1,200 of 9,000")
        expect(place).to_contain_text("13%")
        expect(place).to_contain_text("about 65 minutes left")
        expect(place.get_by_role("progressbar")).to_have_attribute("value", "13.3")
        page.reload()
    for theme in ("light", "dark"):
        set_theme(page, theme)
        check_accessibility(page, within=".run-progress")
        picture(page, f"progress-{theme}")
    page.set_viewport_size({"width": 360, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    place.get_by_role("button", name="Cancel").click()
    expect(place.get_by_role("status")).to_have_text("Being cancelled…")
    assert elsewhere(lambda: finish(run, run.fence, "cancelled", None, None, ""))
    # The page loads itself again, and nothing goes on any more.
    expect(place).to_have_count(0)
    page.goto(f"/admin/runs/run/{run.pk}/change/")
    expect(page.locator("dl.facts")).to_contain_text("Cancelled")
