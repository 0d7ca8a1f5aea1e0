"""The first fifteen minutes of a newcomer (the study of the editor, §7): from an empty workspace to an answered call."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from endpoints.history import history
from tests import factories
from tests.browsing import Watched, picture
from tests.conftest import absent

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])

MOST_TABS = 120
CUSTOMERS = [("Ann", "ann@example.com"), ("Bob", "bob@example.com"), ("Cyd", "cyd@example.com")]


class Mouse:
    """A mouse that counts: choosing from a list is a click too."""

    def __init__(self) -> None:
        self.clicks = 0

    def press(self, target: Locator) -> None:
        """Press a button, follow a link."""
        self.clicks += 1
        target.click()

    def choose(self, target: Locator, option: str) -> None:
        """Choose from a list by what it shows."""
        self.clicks += 1
        target.select_option(label=option)

    def fill(self, target: Locator, text: str) -> None:
        """Type into a field."""
        target.fill(text)

    def reach(self, target: Locator) -> None:
        """Put the focus somewhere."""
        self.clicks += 1
        target.focus()


class Keyboard(Mouse):
    """The same by keys alone: Tab to a place, Enter, and typing."""

    def press(self, target: Locator) -> None:
        """Tab to it, Enter."""
        self.reach(target)
        target.page.keyboard.press("Enter")

    def choose(self, target: Locator, option: str) -> None:
        """Tab to the list, type the beginning of the option."""
        self.reach(target)
        target.page.keyboard.type(option)

    def fill(self, target: Locator, text: str) -> None:
        """Tab to the field, type over what is in it."""
        self.reach(target)
        target.page.keyboard.press("Control+a")
        target.page.keyboard.type(text)

    def reach(self, target: Locator) -> None:
        """Press Tab until the focus is there; fail when it never gets there."""
        expect(target).to_be_visible()
        for _ in range(MOST_TABS):
            if target.evaluate("place => place === document.activeElement"):
                return
            target.page.keyboard.press("Tab")
        pytest.fail(f"{MOST_TABS} times Tab do not reach {target}")


@pytest.fixture
def page(watched: Watched, live_server: Any, settings: Any) -> Page:
    """The home page of an installation with one empty workspace."""
    settings.PUBLIC_URL = live_server.url
    factories.make_workspace("shop")
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    watched.page.set_viewport_size({"width": 1440, "height": 900})
    watched.page.goto("/admin/")
    return watched.page


@pytest.mark.parametrize("hand", [Mouse(), Keyboard()], ids=["mouse", "keyboard"])
def test_a_newcomer_reaches_an_answered_call(page: Page, hand: Mouse) -> None:
    if shutil.which("curl") is None:
        absent("curl is not installed")
    _make_the_table(page, hand)
    _add_the_records(page, hand)
    _make_the_endpoint(page, hand)
    _try_it(page, hand)
    curl = _publish_it(page, hand)
    assert _answer(curl)["name"] == "Ann"
    _see_the_call(page, hand)
    _change_it(page, hand)
    assert hand.clicks <= 25, f"{hand.clicks} clicks"


def _make_the_table(page: Page, hand: Mouse) -> None:
    hand.press(page.get_by_role("link", name="New table").first)
    hand.fill(page.locator("#id_name"), "customers")
    for number, (name, kind) in enumerate([("name", ""), ("email", "E-mail"), ("active", "Boolean")]):
        hand.fill(page.locator(f"[name=fields-{number}-name]"), name)
        if kind:
            hand.choose(page.locator(f"[name=fields-{number}-type]"), kind)
    hand.press(page.get_by_role("button", name="Make the table"))


def _add_the_records(page: Page, hand: Mouse) -> None:
    page.wait_for_url("**/records/")
    page.goto(f"{page.url}add/")  # the form: a sheet is pasted in the sheet's own tests
    for name, email in CUSTOMERS:
        hand.fill(page.get_by_label("name", exact=True), name)
        hand.fill(page.get_by_label("email", exact=True), email)
        is_last = name == CUSTOMERS[-1][0]
        hand.press(page.get_by_role("button", name="Add record" if is_last else "Add and make another"))
    expect(page.get_by_role("grid")).to_contain_text("Cyd")


def _make_the_endpoint(page: Page, hand: Mouse) -> None:
    hand.press(page.get_by_role("link", name="Home").first)
    expect(page.locator(".step.done")).to_have_count(1)
    hand.press(page.locator(".step.next").get_by_role("link", name="New endpoint"))
    hand.fill(page.locator("#id_path"), "/customers/{customer_id}")
    expect(page.locator(".path-inputs")).to_contain_text("customer_id")
    hand.choose(page.locator("#id_start"), "Get one record")
    hand.press(page.get_by_role("button", name="Make the endpoint"))


def _try_it(page: Page, hand: Mouse) -> None:
    expect(page.locator(".rows .row.line")).to_have_count(2)
    hand.press(page.get_by_role("button", name="Run & debug").first)
    outcome = page.locator(".debug-outcome")
    for value, status in (("1", "200"), ("999", "404"), ("1", "200")):
        hand.fill(page.get_by_label("customer_id"), value)
        page.keyboard.press("Control+Enter")
        expect(outcome).to_contain_text(status)
        if status == "404":
            expect(page.locator(".debug-timeline")).to_contain_text("stopped here")
            picture(page, "first-minutes")


def _publish_it(page: Page, hand: Mouse) -> str:
    hand.press(page.get_by_role("button", name="Publish").first)
    hand.press(page.get_by_role("dialog", name="Publish").get_by_role("button", name="Publish version 1"))
    expect(page.locator(".stack-states .state")).to_contain_text("Live: version 1")
    bar = page.locator(".bar-line.published")
    expect(bar).to_contain_text("The line that calls it is copied")
    picture(page, "first-minutes-live")
    copied: str = page.evaluate("navigator.clipboard.readText()")
    return copied


def _answer(curl: str) -> Any:
    """What the copied line prints in a terminal."""
    ran = subprocess.run(["sh", "-c", curl], capture_output=True, text=True, timeout=30, check=True)
    return json.loads(ran.stdout)


def _see_the_call(page: Page, hand: Mouse) -> None:
    history.flush()
    menu = page.get_by_role("navigation", name="Console")
    hand.press(menu.get_by_role("link", name="Request history"))
    hand.press(page.get_by_role("link", name="/customers/1").first)
    hand.press(page.get_by_role("link", name="Debug this request"))
    expect(page.get_by_label("customer_id")).to_have_value("1")


def _change_it(page: Page, hand: Mouse) -> None:
    rows = page.locator(".rows .row.line")
    hand.reach(rows.first)
    page.keyboard.press("/")
    page.keyboard.type("set variable")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(3)
    hand.reach(page.get_by_role("combobox", name="Value", exact=True))
    page.keyboard.type("{custo")
    page.get_by_role("option", name="customer_found").first.wait_for()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".debug-outcome")).to_contain_text("200")
    expect(page.locator(".debug-timeline")).to_contain_text("Set variable")
    for _ in range(2):  # the value, then the step
        hand.press(page.get_by_role("button", name="Undo", exact=True).first)
    expect(rows).to_have_count(2)
    hand.press(page.get_by_role("navigation", name="Console").get_by_role("link", name="API docs"))
    expect(page.get_by_role("main")).to_contain_text("/customers/{customer_id}")
