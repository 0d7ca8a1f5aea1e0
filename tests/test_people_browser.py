"""The pages of people in a real browser: the door of an invitation, the code, the codes to keep, the team."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyotp
import pytest
from django.db import connections

from auth import team
from tests import factories
from tests.browsing import Watched, check_accessibility, picture, set_theme
from tests.stacks_on_screen import make_draft, make_shop, setting

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])
WIDTHS = (360, 768, 1280, 1920)


def looked_at(page: Any, name: str) -> None:
    """axe in both themes, no width at which the page is wider than the screen, and pictures."""
    for theme in ("light", "dark"):
        set_theme(page, theme)
        check_accessibility(page)
        picture(page, f"{name}-{theme}")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        ), width
        if width == 360:
            picture(page, f"{name}-phone")
    page.set_viewport_size({"width": 1280, "height": 900})


def invited() -> str:
    """An invitation's path, made by a thread of its own: under the browser's event loop this one would have two connections."""

    def make() -> str:
        try:
            shop = factories.make_workspace("shop")
            factories.make_member(shop, "viewer", "vera@example.com")
            return (
                "/" + team.invite(shop, "new@example.com", "builder")[1].partition("://")[2].partition("/")[2]
            )
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as maker:
        return maker.submit(make).result()


def a_stack() -> str:
    """The address of a stack with two lines in a workspace that Vera looks at."""

    def make() -> str:
        try:
            group = make_shop()
            factories.make_member(group.workspace, "viewer", "vera@example.com")
            lines = [
                setting("a", 1),
                {"id": "b", "step": "query_all_records", "params": {"table": "customers"}},
            ]
            return f"/admin/endpoints/endpoint/{make_draft(group, lines).pk}/change/"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as maker:
        return maker.submit(make).result()


def test_a_viewer_reads_a_stack_and_is_offered_no_change(watched: Watched) -> None:
    page = watched.page
    page.context.clear_cookies()
    page.goto(a_stack())
    page.get_by_label("E-mail").fill("vera@example.com")
    page.get_by_label("Password").fill("a-long-password")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Read only").wait_for()
    for gone in ("Publish", "Run & debug", "Undo", "Duplicate", "Add a step below"):
        assert page.get_by_role("button", name=gone, exact=True).count() == 0, gone
    assert page.get_by_role("tab", name="Run & debug").count() == 0
    page.locator("[data-row=b]").click()
    assert page.locator(".stack-panel select:enabled, .stack-panel input:enabled").count() == 0
    before = page.locator("[data-row]").count()
    for key in ("Delete", "Control+d", "/", "m", "x", "Alt+ArrowUp"):
        page.keyboard.press(key)
    assert page.locator("[data-row]").count() == before
    assert page.get_by_role("menu").count() == 0
    looked_at(page, "stack-viewer")
    for tab in ("Inputs", "Settings", "Versions", "YAML"):
        page.get_by_role("tab", name=tab).click()
        assert (
            page.locator(".tab-page").locator("input:enabled, select:enabled, textarea:enabled").count() == 0
        )
    check_accessibility(page)


def test_somebody_joins_and_sets_up_a_second_factor(watched: Watched) -> None:
    page = watched.page
    path = invited()
    page.goto("/admin/team/")
    looked_at(page, "people-team")
    page.context.clear_cookies()
    page.goto(path)
    looked_at(page, "people-join")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Password").fill("a-long-password")
    page.get_by_role("button", name="Join").click()
    page.get_by_text("Welcome to shop").wait_for()
    page.goto("/admin/two-factor/")
    looked_at(page, "people-two-factor")
    codes = pyotp.TOTP(page.locator("code").first.inner_text().replace(" ", ""))
    page.get_by_label("Code", exact=True).fill(codes.now())
    page.get_by_role("button", name="Turn it on").click()
    kept = page.locator("#codes").inner_text().split()
    looked_at(page, "people-codes")
    page.context.clear_cookies()
    page.goto("/admin/")
    page.get_by_label("E-mail").fill("new@example.com")
    page.get_by_label("Password").fill("a-long-password")
    page.get_by_role("button", name="Log in").click()
    looked_at(page, "people-code")
    page.get_by_label("Code", exact=True).fill(kept[0])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Console").wait_for()
