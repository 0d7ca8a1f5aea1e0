"""The code editor of lambdas in a real browser: suggestions, problems at their lines, runs beside the code, nothing lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from lambdas.models import Lambda
from tests.browsing import Watched, check_accessibility, picture, set_theme
from tests.test_code_editor import made_lambda

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])


@pytest.fixture
def target(transactional_db: None) -> Lambda:
    """A lambda beside a table `orders`."""
    return made_lambda()


@pytest.fixture
def page(watched: Watched, target: Lambda) -> Page:
    """Its page, with the editor in place."""
    watched.page.set_viewport_size({"width": 1440, "height": 900})
    open_page(watched.page, target)
    return watched.page


def open_page(page: Page, target: Lambda) -> None:
    page.goto(f"/admin/lambdas/lambda/{target.pk}/change/")
    page.wait_for_selector("html[data-code-editor=ready]")


def write(page: Page, code: str) -> None:
    """Put code in the place of what was there, as pasting does."""
    page.get_by_role("textbox", name="The code").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)


def saved(page: Page) -> None:
    expect(page.locator(".save-state")).to_contain_text("Saved")


def code_of(target: Lambda) -> str:
    target.refresh_from_db()
    return str(target.draft["code"])


def test_it_suggests_what_the_workspace_has_and_shows_problems_at_their_lines(
    page: Page, target: Lambda
) -> None:
    write(page, 'const order = await db.get("orders", 1);\nreturn ')
    page.keyboard.type("order.to")
    listed = page.get_by_role("listbox")
    expect(listed.get_by_role("option", name="total")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.type("tl;")
    page.keyboard.press("Control+s")
    problems = page.get_by_role("list", name="Problems")
    expect(problems).to_contain_text("totl")
    expect(page.locator(".cm-lint-marker-warning")).to_have_count(1)
    expect(page.locator(".cm-lintRange-warning")).to_have_text("totl")
    assert code_of(target).endswith("return order.totl;")
    problems.get_by_role("button", name="Line 2").click()
    expect(page.locator(".cm-activeLine")).to_contain_text("order.totl")
    picture(page, "lambda-code-problems")
    page.keyboard.press("Control+f")
    expect(page.get_by_role("textbox", name="Find")).to_be_focused()
    check_accessibility(page)


def test_it_runs_with_input_and_its_output_streams_beside_the_code(page: Page) -> None:
    write(
        page,
        "log('first');\nawait new Promise((done) => setTimeout(done, 1500));\nlog('second');\n"
        "if (input.fail) throw new Error('as asked');\nreturn { hello: input.name };\n",
    )
    panel = page.locator("[data-lambda-run]")
    panel.get_by_label("Input, as JSON").fill('{"name": "Ann"}')
    panel.get_by_role("button", name="Run").click()
    output = panel.get_by_role("log")
    # Streaming: the first line is there while the run goes on.
    expect(output).to_have_text("first\n")
    expect(panel.get_by_role("button", name="Cancel")).to_be_visible()
    expect(output).to_contain_text("second")
    expect(panel.locator("[data-state=succeeded]")).to_be_visible()
    expect(panel.get_by_label("Result")).to_contain_text('"hello": "Ann"')
    for theme in ("light", "dark"):
        set_theme(page, theme)
        check_accessibility(page)
        picture(page, f"lambda-code-run-{theme}")
    panel.get_by_label("Input, as JSON").fill('{"fail": true}')
    page.keyboard.press("Control+Enter")
    expect(panel.locator("[data-state=failed]")).to_be_visible()
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    panel.get_by_role("button", name="Line 4").click()
    expect(page.locator(".cm-activeLine")).to_contain_text("as asked")
    # On a phone all of it is still there.
    page.set_viewport_size({"width": 360, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    picture(page, "lambda-code-360")


def test_a_killed_tab_loses_no_code_even_when_somebody_else_saved_meanwhile(
    page: Page, target: Lambda, watched: Watched
) -> None:
    page.route("**/code/draft/", lambda route: route.abort())
    write(page, "return 'mine';\n")
    expect(page.locator(".save-state")).to_contain_text("Offline: kept on this computer")
    context = page.context
    page.close(run_before_unload=False)
    watched.forget("ERR_FAILED")
    Lambda.objects.update(draft={**target.draft, "code": "return 'theirs';\n"})
    again = context.new_page()
    open_page(again, target)
    expect(again.locator(".cm-content")).to_contain_text("return 'mine';")
    expect(again.get_by_role("alert")).to_contain_text("Nothing of yours is lost")
    assert code_of(target) == "return 'theirs';\n"
    again.get_by_role("button", name="Keep mine").click()
    saved(again)
    assert code_of(target) == "return 'mine';\n"
    # Published in the middle of an edit: what is on screen is what goes live.
    write(again, "return 'published';\n")
    again.get_by_role("button", name="Publish").click()
    expect(again.get_by_text("Published: version 1 is live.")).to_be_visible()
    target.refresh_from_db()
    assert target.published.document["code"] == "return 'published';\n"


def test_settings_that_a_stopped_server_did_not_take_are_kept_and_saved_when_it_is_back(
    page: Page, target: Lambda, watched: Watched
) -> None:
    answers = {"status": 503}
    page.route("**/code/draft/", lambda route: route.fulfill(status=answers["status"], body="starting"))
    page.locator("#settings [name=description]").fill("kept here")
    state = page.locator(".save-state")
    expect(state).to_contain_text("Offline: kept on this computer")
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.wait_for_selector("html[data-code-editor=ready]")
    expect(page.locator("#settings [name=description]")).to_have_value("kept here")
    expect(state).to_contain_text("Offline: kept on this computer")
    page.unroute("**/code/draft/")
    expect(state).to_contain_text("Saved", timeout=10_000)
    target.refresh_from_db()
    assert target.draft["description"] == "kept here"
    watched.faults[:] = [fault for fault in watched.faults if "503" not in fault]
