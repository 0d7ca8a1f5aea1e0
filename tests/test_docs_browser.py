"""The documentation pages in a real browser: Swagger UI under the strict policy, and calls tried out from it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from endpoints.groups import edit_group
from tests import factories
from tests.browsing import Watched

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])


@pytest.fixture
def public_url(live_server: LiveServer, settings: Any) -> str:
    """The live server is where the documents say that the API is."""
    settings.PUBLIC_URL = live_server.url
    return live_server.url


def test_an_endpoint_is_tried_out_from_its_documentation(browser: Browser, public_url: str) -> None:
    group = edit_group(factories.make_group(factories.make_workspace()), docs="token")
    factories.make_endpoint(
        group,
        "/hello/{name}",
        name="hello",
        inputs={"name": "text"},
        response={"$expr": '"Hello " ~ input.name'},
    )
    page = browser.new_page()
    kept = Watched(page, public_url)
    page.goto(f"{public_url}/apidoc:shop?token={group.docs_token}")
    page.locator("#operations-hello-hello .opblock-summary-control").click()
    page.locator("#operations-hello-hello input").fill("Ann")
    page.get_by_role("button", name="Execute").click()
    expect(page.locator("#operations-hello-hello .live-responses-table .response").first).to_contain_text(
        "Hello Ann"
    )
    page.close()
    assert kept.faults == []


def test_somebody_signed_in_tries_out_the_management_api(watched: Watched, public_url: str) -> None:
    page = watched.page
    # Of a long description Swagger UI draws only what is in view.
    page.goto("/apidoc:meta")
    operation = page.locator("#operations-workspaces-create_workspace .opblock-summary-control")
    expect(page.locator(".opblock").first).to_be_visible()
    for _ in range(20):
        if operation.is_visible():
            break
        page.mouse.wheel(0, 200)
        page.wait_for_timeout(100)
    operation.click()
    page.locator("#operations-workspaces-create_workspace textarea.body-param__text").fill(
        '{"name": "made-here"}'
    )
    page.get_by_role("button", name="Execute").click()
    answer = page.locator("#operations-workspaces-create_workspace .live-responses-table .response").first
    expect(answer).to_contain_text("201")
    expect(answer).to_contain_text("made-here")
