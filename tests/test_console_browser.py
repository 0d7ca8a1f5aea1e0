"""The console in a real browser: the walk from signing in to an answered trial, under the policy, without a fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from lambdas.models import Lambda
from stackyard.console import bundle
from tests import factories
from tests.browsing import Watched

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])

GREETING = """\
name: greet
method: GET
path: /people/{person_id}
auth: [public]
inputs:
  person_id: {type: int}
stack:
  - get_record:
      table: people
      value: !expr 'input.person_id'
    as: person
response: {hello: !expr 'person.name'}
"""


def test_from_signing_in_to_an_answered_trial(watched: Watched) -> None:
    page = watched.page
    page.get_by_role("link", name="New workspace").click()
    page.get_by_label("Name").fill("club")
    page.get_by_role("button", name="Save", exact=True).click()

    # A table with two fields, one of them in a row that the script adds.
    page.get_by_role("link", name="Home").first.click()
    page.get_by_role("link", name="New table").first.click()
    page.locator("#id_name").fill("people")
    page.locator("[name=fields-0-name]").fill("name")
    page.get_by_role("button", name="More rows").click()
    page.locator("[name=fields-4-name]").fill("age")
    page.locator("[name=fields-4-type]").select_option("int")
    page.get_by_role("button", name="Make the table").click()

    # Its first record.
    page.wait_for_url("**/records/")
    page.goto(f"{page.url}add/")  # the form, as it is without the sheet
    page.get_by_label("name", exact=True).fill("Ann")
    page.get_by_label("age", exact=True).fill("41")
    page.get_by_role("button", name="Add record").click()
    expect(page.get_by_role("grid")).to_contain_text("Ann")

    # A group, then an endpoint from YAML.
    page.goto("/admin/endpoints/apigroup/")
    page.get_by_role("link", name="New API group").first.click()
    page.get_by_label("Name").fill("club")
    page.get_by_label("Mount").fill("v1")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("navigation", name="Console").get_by_role("link", name="API", exact=True).click()
    page.get_by_role("link", name="New endpoint").first.click()
    page.locator("#id_path").fill("/people/{person_id}")
    page.get_by_role("button", name="Make the endpoint").click()
    # The plain form, as it is without the visual editor.
    page.goto(f"{page.url}?plain=1")
    text = page.get_by_label("The endpoint as YAML")
    text.fill(GREETING.replace("person.name", "persn.name"))

    # A fault is marked, and its link puts the cursor there.
    page.get_by_role("button", name="Check").click()
    mark = page.get_by_role("link", name="Line 12, column")
    expect(mark).to_be_visible()
    expect(page.locator(".gutter span.error")).to_have_text("12")
    mark.click()
    assert page.evaluate("document.activeElement.id") == "text"
    before = page.evaluate("document.activeElement.value.slice(0, document.activeElement.selectionStart)")
    assert before.endswith("response: {hello: !expr '")

    # Saved by keyboard, tried by keyboard, published.
    text.fill(GREETING)
    page.keyboard.press("Control+s")
    expect(page.locator(".messagelist")).to_contain_text("The draft is saved")
    page.get_by_label("person_id").fill("1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Response body")).to_contain_text('"hello": "Ann"')
    page.get_by_label("What changed").fill("It greets")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".messagelist")).to_contain_text("version 1 is live")
    expect(page.get_by_role("row", name="It greets")).to_be_visible()

    # Its history page is there, empty or not.
    page.get_by_role("navigation", name="Console").get_by_role("link", name="Request history").click()
    expect(page.get_by_role("heading", name="Request history")).to_be_visible()


def test_the_text_keeps_its_indent_and_asks_before_it_is_lost(watched: Watched) -> None:
    page = watched.page
    group = factories.make_group(factories.make_workspace())
    endpoint = factories.make_endpoint(group)
    page.goto(f"/admin/endpoints/endpoint/{endpoint.pk}/change/?plain=1")
    text = page.get_by_label("The endpoint as YAML")
    text.fill("")
    text.press_sequentially("stack:\n- a:\nb: 1\nc")
    text.press("Tab")
    assert text.input_value() == "stack:\n  - a:\n    b: 1\n    c  "
    text.press("Shift+Tab")
    text.press("Control+z")
    # Escape, then Tab leaves the text instead of indenting.
    text.press("Escape")
    text.press("Tab")
    assert page.evaluate("document.activeElement.id") != "text"

    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("navigation", name="Console").get_by_role("link", name="Home").click()
    page.wait_for_timeout(200)
    assert asked == ["beforeunload"]
    assert "/change/" in page.url


def test_on_a_narrow_screen_the_menu_opens_and_closes(watched: Watched) -> None:
    page = watched.page
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto("/admin/")
    link = page.get_by_role("navigation", name="Console").get_by_role("link", name="Database")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    link.click()
    expect(page.get_by_role("heading", name="Database")).to_be_visible()


def test_the_browser_obeys_the_policy(watched: Watched) -> None:
    page = watched.page
    page.goto("/admin/")
    page.evaluate(
        """() => { const script = document.createElement("script");
        script.textContent = "document.title = 'taken over'"; document.body.append(script); }"""
    )
    assert page.title() != "taken over"
    assert any("Content Security Policy" in fault for fault in watched.faults)
    watched.faults.clear()


def test_a_lambda_is_written_run_and_published_in_the_plain_form(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "BUNDLE", tmp_path)
    factories.make_workspace("club")
    page = watched.page
    page.goto("/admin/lambdas/lambda/add/")
    page.get_by_label("Name").fill("half")
    page.get_by_role("button", name="Make the lambda").click()
    code = page.locator("#text")
    code.fill("console.log('got', input.n);\nreturn input.n / ;")
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".gutter span.error")).to_have_text("2")
    page.get_by_role("link", name="Line 2, column 18").click()
    expect(code).to_be_focused()
    code.fill("console.log('got', input.n);\nreturn input.n / 2;")
    page.locator("#inputs").fill('{"n": 42}')
    code.press("Control+Enter")
    expect(page.locator("#trial-body")).to_have_text("21")
    expect(page.locator("#trial-logs")).to_contain_text("got 42")
    page.locator("#inputs").fill("null")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#trial").get_by_role("link", name="Line 1")).to_be_visible()
    expect(page.locator(".gutter span.error")).to_have_text("1")
    page.get_by_label("Triggers").fill("- schedule: {cron: '0 2 * * *'}\n- webhook: {}\n")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published: version 1 is live.")).to_be_visible()
    expect(page.get_by_role("heading", name="Webhook")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.get_by_role("button", name="Start a run of v1").click()
    expect(page.get_by_text("The run is accepted.")).to_be_visible()
    page.get_by_role("button", name="Cancel this run").click()
    expect(page.get_by_text("The run is cancelled.")).to_be_visible()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for address in (
            "/admin/lambdas/lambda/",
            f"/admin/lambdas/lambda/{Lambda.objects.get().pk}/change/",
            "/admin/runs/run/",
        ):
            page.goto(address)
            wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, (address, width)
