"""Logging in and consenting in a real browser, from Swagger UI: pages without scripts, light and dark, nothing loaded from elsewhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import expect

from tests.oauth_clients import PASSWORD, make_stage

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])


def faults(page: Any) -> Any:
    """What axe-core finds."""
    return [fault["id"] for fault in Axe().run(page).response["violations"]]


def made_apart(redirect_uri: str) -> str:
    """The client id of a public application, made by a thread of its own: under the browser's event loop this one has two connections."""

    def make() -> str:
        try:
            return make_stage().registered(is_public=True, redirect_uris=[redirect_uri])[0].client_id
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as maker:
        return maker.submit(make).result()


def test_somebody_logs_in_from_swagger_ui(
    live_server: Any, browser: Any, settings: Any, tmp_path: Path
) -> None:
    settings.PUBLIC_URL = live_server.url
    client_id = made_apart(f"{live_server.url}/apidoc/oauth2-redirect")
    page = browser.new_page()
    refused: list[str] = []
    page.on("console", lambda m: refused.append(m.text) if "Content Security Policy" in m.text else None)
    page.goto(f"{live_server.url}/apidoc:shop")
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".auth-container").first
    dialog.locator("#client_id_authorizationCode").fill(client_id)
    dialog.locator('label[for^="shop:read-"]').click()
    with page.context.expect_page() as opened:
        dialog.locator(".modal-btn.authorize").click()
    window = opened.value
    window.emulate_media(color_scheme="dark")
    window.get_by_label("E-mail address").fill("ann@example.com")
    assert faults(window) == []
    window.screenshot(path=tmp_path / "login.png")
    window.get_by_label("Password").fill("wrong")
    window.keyboard.press("Enter")
    window.get_by_role("alert").wait_for()
    assert faults(window) == []
    window.get_by_label("Password").fill(PASSWORD)
    window.keyboard.press("Enter")
    window.get_by_role("heading", name="Allow Another?").wait_for()
    assert faults(window) == []
    window.emulate_media(color_scheme="light")
    window.set_viewport_size({"width": 360, "height": 640})
    assert faults(window) == []
    assert window.evaluate("document.documentElement.scrollWidth") <= 360
    window.screenshot(path=tmp_path / "consent.png")
    window.get_by_role("button", name="Allow").click()
    page.get_by_text("Logout").first.wait_for()
    page.locator(".btn-done").first.click()
    page.locator(".opblock-get .opblock-summary-control").first.click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response").first).to_contain_text("members")
    assert refused == []
