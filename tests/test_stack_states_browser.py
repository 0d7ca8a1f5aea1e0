"""The visual editor in a real browser: hostile texts, phones, screen readers, light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from endpoints.models import ApiGroup
from tests.browsing import Watched, check_accessibility, picture, set_theme
from tests.stacks_on_screen import LINES, Stack, expr, make_draft, make_shop, setting

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])


@pytest.fixture
def group(transactional_db: None) -> ApiGroup:
    """A shop's group."""
    return make_shop()


@pytest.fixture
def stack(watched: Watched, group: ApiGroup) -> Stack:
    """A stack with blocks, open on a wide screen."""
    watched.page.set_viewport_size({"width": 1440, "height": 900})
    return Stack(watched.page, make_draft(group, LINES)).open()


HOSTILE = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>"


def test_hostile_texts_are_only_texts(watched: Watched, group: ApiGroup) -> None:
    dialogs: list[Any] = []
    watched.page.on("dialog", lambda dialog: (dialogs.append(dialog), dialog.dismiss()))
    lines: list[dict[str, Any]] = [
        {**setting("a", HOSTILE), "note": HOSTILE, "as": HOSTILE},
        {"id": "b", "step": HOSTILE, "params": {HOSTILE: HOSTILE}},
        {"id": "c", "step": "set_variable", "params": {"name": HOSTILE, "value": expr(HOSTILE)}},
        {"id": "d", "step": "query_all_records", "params": {"table": HOSTILE, "where": {HOSTILE: HOSTILE}}},
    ]
    endpoint = make_draft(group, lines, description=HOSTILE, response={HOSTILE: HOSTILE})
    stack = Stack(watched.page, endpoint).open()
    for key in ("a", "b", "c", "d", "response"):
        stack.choose(key)
        expect(stack.panel).to_be_visible()
    for tab in ("Inputs", "Settings", "Versions", "YAML"):
        stack.page.get_by_role("tab", name=tab).click()
        expect(stack.page.locator(".tab-page")).to_have_attribute("aria-label", tab)
    expect(stack.page.locator(".cm-editor")).to_be_visible()
    assert dialogs == []
    assert stack.page.locator("img[src=x]").count() == 0


def test_on_a_phone_the_panel_is_a_sheet(watched: Watched, group: ApiGroup) -> None:
    watched.page.set_viewport_size({"width": 390, "height": 844})
    stack = Stack(watched.page, make_draft(group, LINES)).open()
    assert stack.page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(stack.page, "stack-phone")
    stack.choose("last")
    expect(stack.panel).to_be_visible()
    picture(stack.page, "stack-phone-sheet")
    check_accessibility(stack.page)
    stack.page.get_by_role("button", name="Close the panel").click()
    stack.row("last").get_by_role("button", name="More for step").click()
    stack.page.get_by_role("menuitem", name="Move up").click()
    assert stack.order()[-1] == "last"
    assert stack.saved()["lines"][2]["params"]["else"][1]["id"] == "last"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_wrong_for_screen_readers_in_any_state(stack: Stack, theme: str) -> None:
    set_theme(stack.page, theme)
    stack.choose("find")
    picture(stack.page, f"stack-{theme}")
    check_accessibility(stack.page)
    stack.choose("last")
    value = stack.panel.get_by_role("combobox", name="Value", exact=True)
    value.fill("")
    value.press_sequentially("{")
    picture(stack.page, f"stack-picker-{theme}")
    check_accessibility(stack.page)
    stack.keys("Escape")
    value.fill("")
    stack.panel.get_by_label("Kind of value of Value").select_option("formula")
    stack.panel.get_by_label("Formula of Value").fill("custmer +")
    expect(stack.panel.locator(".place")).to_be_visible()
    picture(stack.page, f"stack-formula-{theme}")
    check_accessibility(stack.page)
    stack.focus("find")
    stack.keys("/")
    picture(stack.page, f"stack-insert-{theme}")
    check_accessibility(stack.page)
    stack.keys("Escape", "m")
    check_accessibility(stack.page)
    stack.keys("Escape", "?")
    shortcuts = stack.page.get_by_role("dialog", name="Shortcuts")
    expect(shortcuts).to_be_visible()
    check_accessibility(stack.page)
    stack.keys("Escape")
    expect(shortcuts).to_have_count(0)
    for tab in ("Inputs", "Settings", "Versions", "YAML"):
        stack.page.get_by_role("tab", name=tab).click()
        # Its script comes when it is first opened.
        expect(stack.page.locator(".tab-page")).to_have_attribute("aria-label", tab)
        if tab == "YAML":
            expect(stack.page.locator(".cm-content")).to_be_visible()
        picture(stack.page, f"stack-{tab.lower()}-{theme}")
        check_accessibility(stack.page)
