"""The visual editor's draft in a real browser: saved by itself, never lost, published, compared, as YAML."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from endpoints.models import ApiGroup
from endpoints.publishing import publish, save_draft
from tests.browsing import EMAIL, PASSWORD, Watched, check_accessibility, picture
from tests.stacks_on_screen import LINES, Stack, expr, make_draft, make_shop, setting

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])


@pytest.fixture
def group(transactional_db: None) -> ApiGroup:
    """A shop's group."""
    return make_shop()


@pytest.fixture
def stack(watched: Watched, group: ApiGroup) -> Stack:
    """Two lines, open on a wide screen."""
    watched.page.set_viewport_size({"width": 1440, "height": 900})
    return Stack(watched.page, make_draft(group, [setting("a"), setting("b")])).open()


def value_of(stack: Stack, key: str = "a") -> object:
    """What the database has as the value of a line."""
    stack.endpoint.refresh_from_db()
    return next(line for line in stack.endpoint.draft["lines"] if line["id"] == key)["params"].get("value")


def type_value(stack: Stack, text: str, key: str = "a") -> None:
    """Type a text into the value of a line."""
    stack.choose(key)
    stack.panel.get_by_role("combobox", name="Value", exact=True).fill(text)


def test_edits_reach_the_server_by_themselves_within_two_seconds(stack: Stack) -> None:
    with stack.page.expect_response(lambda answer: answer.request.method == "PUT", timeout=2_000):
        type_value(stack, "5")
    expect(stack.page.locator(".saving")).to_contain_text("Saved")
    assert value_of(stack) == 5


def test_a_killed_tab_loses_nothing(stack: Stack, watched: Watched) -> None:
    page = stack.page
    # The network goes first, so that the edits are nowhere but on this computer.
    page.route("**/editor/", lambda route: route.abort())
    type_value(stack, "before the crash")
    expect(page.locator(".saving")).to_contain_text("Offline, kept on this computer")
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    assert value_of(stack) == 1
    context = page.context
    page.close(run_before_unload=False)
    again = Stack(context.new_page(), stack.endpoint).open()
    expect(again.page.get_by_role("status").filter(has_text="are back")).to_be_visible()
    again.saved()
    assert value_of(again) == "before the crash"
    watched.forget("ERR_FAILED")


def test_a_server_that_is_back_is_given_the_edit_without_being_asked(stack: Stack, watched: Watched) -> None:
    page = stack.page
    page.route("**/editor/", lambda route: route.fulfill(status=502, body="starting"))
    type_value(stack, "while it was away")
    expect(page.locator(".saving")).to_contain_text("Offline, kept on this computer")
    page.unroute("**/editor/")
    expect(page.locator(".saving")).to_contain_text("Saved", timeout=15_000)
    assert value_of(stack) == "while it was away"
    watched.faults[:] = [fault for fault in watched.faults if "502" not in fault]


def test_leaving_with_unsaved_work_asks_first(stack: Stack, watched: Watched) -> None:
    asked: list[str] = []
    stack.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    stack.page.route("**/editor/", lambda route: route.abort())
    type_value(stack, "unsaved")
    stack.page.goto("/admin/")
    assert asked == ["beforeunload"]
    # Whether the save was tried before the page was left is a matter of milliseconds.
    watched.faults[:] = [fault for fault in watched.faults if "ERR_FAILED" not in fault]


def test_a_login_that_ended_loses_nothing_and_says_so(stack: Stack, watched: Watched) -> None:
    Session.objects.all().delete()
    type_value(stack, "signed out")
    bar = stack.page.get_by_role("alert")
    expect(bar).to_contain_text("You are signed out. Your changes are kept on this computer")
    assert value_of(stack) == 1
    with stack.page.context.expect_page() as opened:
        bar.get_by_role("link", name="Sign in in a new tab").click()
    tab: Page = opened.value
    tab.get_by_label("E-mail").fill(EMAIL)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Log in").click()
    expect(tab.get_by_role("navigation", name="Console")).to_be_attached()
    tab.close()
    expect(bar).to_have_count(0, timeout=20_000)
    stack.saved()
    assert value_of(stack) == "signed out"
    # The token of before the login is refused once.
    watched.faults[:] = [fault for fault in watched.faults if "403" not in fault]


def test_two_tabs_meet_with_three_choices(stack: Stack, watched: Watched) -> None:
    other = Stack(stack.page.context.new_page(), stack.endpoint).open()
    type_value(other, "theirs", "b")
    other.saved()
    type_value(stack, "mine")
    bar = stack.page.get_by_role("alert")
    expect(bar).to_contain_text("owner@example.com saved this")
    picture(stack.page, "stack-conflict")
    check_accessibility(stack.page)
    bar.get_by_role("button", name="Compare").click()
    dialog = stack.page.get_by_role("dialog", name="Your version and theirs")
    expect(dialog).to_contain_text("Step 1, Set variable")
    expect(dialog).to_contain_text("Step 2, Set variable")
    stack.keys("Escape")
    bar.get_by_role("button", name="Take theirs").click()
    expect(stack.row("b")).to_contain_text("theirs")
    expect(bar).to_have_count(0)
    # Mine is one step back, and can still go on top.
    stack.focus("a")
    stack.keys("Control+z")
    expect(stack.row("a")).to_contain_text("mine")
    stack.saved()
    assert (value_of(stack), value_of(stack, "b")) == ("mine", 1)
    type_value(other, "again", "b")
    expect(other.page.get_by_role("alert")).to_contain_text("saved this")
    other.page.get_by_role("button", name="Save mine over it").click()
    other.saved()
    assert (value_of(stack), value_of(stack, "b")) == (1, "again")
    watched.forget("409")


def test_publishing_shows_the_changes_and_refuses_faults(stack: Stack) -> None:
    page = stack.page
    page.get_by_role("button", name="Publish").click()
    dialog = page.get_by_role("dialog", name="Publish")
    expect(dialog).to_contain_text("This is the first version")
    dialog.get_by_label("What changed").fill("First")
    dialog.get_by_role("button", name="Publish version 1").click()
    expect(page.locator(".stack-states .state")).to_contain_text("Live: version 1")
    type_value(stack, "two")
    stack.focus("b")
    stack.keys("Delete")
    page.get_by_role("button", name="Publish").click()
    expect(dialog.locator(".changes")).to_contain_text("Step 1, Set variable → a: Value changed")
    expect(dialog.locator(".changes")).to_contain_text("Step 2, Set variable → b removed")
    picture(page, "stack-publish")
    check_accessibility(page)
    dialog.get_by_role("button", name="Publish version 2").click()
    expect(page.locator(".stack-states .state")).to_contain_text("Live: version 2")
    stack.endpoint.refresh_from_db()
    assert stack.endpoint.published is not None
    assert stack.endpoint.published.document["lines"][0]["params"]["value"] == "two"
    # A fault stands in the way, and its line is one press away.
    stack.choose("a")
    stack.panel.get_by_label("Name").fill("no good")
    stack.panel.get_by_label("Name").press("Enter")
    expect(page.get_by_role("button", name="1 problem")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    expect(dialog).to_contain_text("1 problem stands in the way")
    dialog.get_by_role("button", name="Step 1").click()
    expect(stack.panel.locator(".problem").first).to_be_visible()


def test_versions_are_compared_and_restored(stack: Stack) -> None:
    publish(stack.endpoint, None, "First")
    save_draft(stack.endpoint, {**stack.endpoint.draft, "lines": [setting("a", "new"), setting("b")]})
    publish(stack.endpoint, None, "Second")
    stack.open()
    stack.page.get_by_role("tab", name="Versions").click()
    first = stack.page.get_by_role("listitem").filter(has_text="Version 1")
    first.get_by_role("button", name="Compare").click()
    expect(first.locator(".changes")).to_contain_text("Value changed")
    first.get_by_role("button", name="Restore").click()
    expect(stack.row("a")).to_be_visible()
    expect(stack.page.locator(".stack-states .state")).to_contain_text("draft differs")
    stack.saved()
    assert value_of(stack) == 1
    stack.page.get_by_role("tab", name="Versions").click()
    stack.page.get_by_role("button", name="Discard the draft").click()
    expect(stack.page.locator(".stack-states .state")).to_have_text("Live: version 2")
    assert value_of(stack) == "new"


def test_yaml_and_rows_are_one_document(stack: Stack) -> None:
    stack.page.get_by_role("tab", name="YAML").click()
    code = stack.page.locator(".cm-content")
    expect(code).to_contain_text("set_variable")
    code.click()
    stack.keys("Control+End")
    stack.page.keyboard.type('\nresponse: !expr "a"')
    expect(stack.page.locator(".saving.saved")).to_be_visible()
    stack.page.get_by_role("tab", name="Stack", exact=True).click()
    expect(stack.row("response")).to_contain_text("Respond with a")
    assert stack.saved()["response"] == expr("a")
    stack.focus("b")
    stack.keys("Delete")
    stack.page.get_by_role("tab", name="YAML").click()
    expect(code).not_to_contain_text("name: b")
    # What cannot be read is marked, and leaves the draft as it is.
    code.click()
    stack.keys("Control+End")
    stack.page.keyboard.type("\nstack: [")
    expect(stack.page.get_by_text("This text cannot be read yet")).to_be_visible()
    expect(stack.page.locator(".place.error").first).to_be_visible()
    assert stack.saved()["response"] == expr("a")


def test_settings_and_inputs_belong_to_the_same_draft(stack: Stack) -> None:
    page = stack.page
    page.get_by_role("tab", name="Settings").click()
    page.get_by_label("Path").fill("/stack0/{customer_id}/{kind}")
    fix = page.get_by_role("button", name="Add the input kind")
    fix.click()
    page.get_by_label("One run of a function stack").fill("9999")
    expect(page.locator(".problem.error")).to_contain_text("from 1 to 300")
    page.get_by_label("One run of a function stack").fill("20")
    expect(page.locator(".problem.error")).to_have_count(0)
    page.get_by_role("tab", name="Inputs").click()
    page.locator("summary", has_text="kind").click()
    page.locator("#input-kind-type").select_option("enum")
    expect(page.locator(".problem.error").first).to_be_visible()
    page.locator("#input-kind-values").fill("a\nb")
    page.locator("#input-kind-values").blur()
    expect(page.locator(".problem.error")).to_have_count(0)
    draft = stack.saved()
    assert draft["timeout_seconds"] == 20
    assert draft["inputs"]["kind"] == {"type": "enum", "values": ["a", "b"]}


def test_a_run_leaves_its_values_at_the_rows(watched: Watched, group: ApiGroup) -> None:
    watched.page.set_viewport_size({"width": 1440, "height": 900})
    stack = Stack(watched.page, make_draft(group, LINES, response=expr("label"))).open()
    stack.page.get_by_role("button", name="Run & debug").click()
    stack.panel.get_by_label("customer_id").fill("1")
    stack.keys("Control+Enter")
    expect(stack.row("find").locator(".run .value")).to_contain_text("{ id")
    expect(stack.row("cond").locator(".run")).to_contain_text("Then")
    picture(stack.page, "stack-run")
    stack.panel.get_by_role("tab", name="Step").click()
    stack.choose("last")
    value = stack.panel.get_by_role("combobox", name="Value", exact=True)
    value.fill("")
    value.press_sequentially("{customer")
    expect(stack.page.get_by_role("option", name="customer.name")).to_contain_text("Ann")
    stack.keys("Escape")
    stack.panel.get_by_role("tab", name="Run & debug").click()
    stack.panel.get_by_label("customer_id").fill("99")
    stack.keys("Control+Enter")
    expect(stack.row("known")).to_have_class("row line failed")
    picture(stack.page, "stack-run-failed")


def test_from_an_empty_stack_to_a_live_one_without_a_mouse(watched: Watched, group: ApiGroup) -> None:
    watched.page.set_viewport_size({"width": 1440, "height": 900})
    stack = Stack(watched.page, make_draft(group, [])).open()
    page, keys = stack.page, stack.page.keyboard
    stack.focus("end")
    stack.keys("/")
    keys.type("get record")
    stack.keys("Enter")
    # Table, field, value.
    keys.type("customers")
    stack.keys("Tab", "Tab")
    keys.type("{customer_id")
    stack.keys("Enter")
    expect(stack.panel.locator(".pill")).to_have_text("input.customer_id")
    stack.keys("Escape", "End", "Enter")
    expect(stack.panel.get_by_role("heading", name="Response")).to_be_visible()
    keys.type("{record")
    stack.keys("Enter")
    expect(stack.row("response").locator(".is-name")).to_have_text("record")
    draft = stack.saved()
    assert draft["lines"][0]["params"] == {"table": "customers", "value": expr("input.customer_id")}
    assert draft["response"] == expr("record")
    page.get_by_role("button", name="Publish").focus()
    stack.keys("Enter")
    expect(page.get_by_role("dialog", name="Publish")).to_contain_text("first version")
    expect(page.get_by_role("button", name="Publish version 1")).to_be_enabled()
    page.get_by_role("button", name="Publish version 1").focus()
    stack.keys("Enter")
    expect(page.locator(".stack-states .state")).to_contain_text("Live: version 1")
