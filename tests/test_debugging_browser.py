"""Run & Debug in a real browser: fill in, run, look at every step, cancel, compare with a past request."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from endpoints.models import Endpoint
from endpoints.publishing import create_endpoint
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests import factories
from tests.browsing import Watched, check_accessibility, picture, set_theme
from tests.test_debugging import expr, line, stored

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])

LINES = [
    line("found", "get_record", "customer", table="customers", field="id", value=expr("input.customer_id")),
    line(
        "known", "precondition", **{"if": expr("customer != null")}, status=404, message="No such customer."
    ),
    line("all", "query_all_records", "others", table="customers", sort=["id"]),
    line(
        "each",
        "for_each",
        **{"in": expr("others")},
        do=[
            line(
                "which",
                "condition",
                **{"if": expr("item.active")},
                then=[line("last", "set_variable", name="last", value=expr("item.name"))],
            )
        ],
    ),
    line("log", "debug_log", value=expr("last")),
]


@pytest.fixture
def endpoint(transactional_db: None) -> Endpoint:
    """`GET /customers/{customer_id}` over three customers."""
    shop = factories.make_workspace()
    fields = {"name": {"type": "text", "required": True}, "active": {"type": "bool", "default": True}}
    create_table(shop, "customers", fields=fields)
    store = Store(load_schema(shop.pk))
    # One by one: Playwright's loop gives this thread another connection than the one a transaction would begin on.
    for name, active in (("Ann", True), ("Bob", False), ("<b>Cyd</b>", True)):
        store.add("customers", {"name": name, "active": active})
    group = factories.make_group(shop, mount="v1")
    document: dict[str, Any] = {
        "name": "one",
        "method": "GET",
        "path": "/customers/{customer_id}",
        "auth": ["public"],
        "inputs": {"customer_id": {"type": "int"}, "note": "text"},
        "lines": LINES,
        "response": {"name": expr("customer.name"), "last": expr("last")},
    }
    return create_endpoint(group, document)


@pytest.fixture
def page(watched: Watched, endpoint: Endpoint) -> Page:
    """The endpoint's page."""
    watched.page.set_viewport_size({"width": 1440, "height": 900})
    watched.page.goto(f"/admin/endpoints/endpoint/{endpoint.pk}/change/?plain=1")
    expect(watched.page.get_by_role("heading", name="Sample inputs")).to_be_visible()
    return watched.page


def fill(page: Page, value: str) -> None:
    page.get_by_label("customer_id").fill(value)


def row(page: Page, key: str) -> Any:
    return page.locator(f'.debug-timeline li[data-line="{key}"]')


def test_a_run_is_looked_at_step_by_step(page: Page, watched: Watched) -> None:
    fill(page, "1")
    page.keyboard.press("Control+Enter")
    outcome = page.locator(".debug-outcome")
    expect(outcome).to_contain_text("200")
    expect(outcome).to_contain_text("nothing kept")
    expect(page.get_by_label("Response body")).to_contain_text('"last": "<b>Cyd</b>"')
    expect(page.get_by_label("The curl line", exact=True)).to_contain_text("/api/v1/customers/1")
    # A loop, as a whole and one round at a time.
    expect(row(page, "each")).to_contain_text("All 3 rounds")
    expect(row(page, "which")).to_contain_text("\N{MULTIPLICATION SIGN}3")
    row(page, "each").get_by_role("button", name="Next round").click()
    expect(row(page, "each")).to_contain_text("Round 1 of 3")
    expect(row(page, "last")).to_contain_text('"Ann"')
    row(page, "each").get_by_role("button", name="Next round").click()
    expect(row(page, "last")).to_have_count(0)
    row(page, "all").get_by_role("button").first.click()
    expect(row(page, "all").get_by_label("SQL")).to_contain_text("SELECT")
    for theme in ("light", "dark"):
        set_theme(page, theme)
        check_accessibility(page, within=".debug-panel")
        picture(page, f"debug-{theme}")


def test_what_fails_is_shown_where_it_failed(page: Page) -> None:
    fill(page, "99")
    page.get_by_role("button", name="Run Ctrl").click()
    expect(page.locator(".debug-outcome")).to_contain_text("404")
    expect(page.locator(".debug-problem")).to_contain_text("No such customer.")
    expect(row(page, "known")).to_contain_text("stopped here")
    fill(page, "many")
    page.get_by_role("button", name="Run Ctrl").click()
    fault = page.locator("#debug-input-customer_id-fault")
    expect(fault).to_be_visible()
    expect(page.locator(".debug-outcome")).to_contain_text("400")
    check_accessibility(page, within=".debug-panel")
    set_theme(page, "dark")
    check_accessibility(page, within=".debug-panel")
    picture(page, "debug-fault-dark")


def test_inputs_are_kept_by_name_taken_from_records_and_from_past_requests(
    page: Page, endpoint: Endpoint
) -> None:
    stored(
        endpoint,
        method="GET",
        path="/api/v1/customers/2",
        query="note=x",
        request_body="",
        request_bytes=0,
        response_body='{"name":"Robert","last":"<b>Cyd</b>"}',
    )
    fill(page, "3")
    page.get_by_role("button", name="Save these inputs").click()
    page.get_by_label("Name of the sample").fill("the third")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Saved")).to_have_value("the third")
    page.reload()
    page.get_by_label("customer_id").fill("")
    page.get_by_label("Saved").select_option("the third")
    expect(page.get_by_label("customer_id")).to_have_value("3")
    page.get_by_text("Use a past request or a record").click()
    page.get_by_label("Past request").select_option(index=1)
    page.get_by_role("button", name="Use", exact=True).first.click()
    expect(page.get_by_label("customer_id")).to_have_value("2")
    expect(page.get_by_label("note")).to_have_value("x")
    page.get_by_role("button", name="Run Ctrl").click()
    compared = page.get_by_label("Compared with the past answer")
    expect(compared).to_contain_text("name")
    expect(compared.locator("ins")).to_have_text('"Bob"')
    page.get_by_label("Record of").select_option("customers")
    page.get_by_label("Id of the record").fill("1")
    page.get_by_role("button", name="Use", exact=True).last.click()
    expect(page.get_by_label("customer_id")).to_have_value("1")
    check_accessibility(page, within=".debug-panel")
    picture(page, "debug-compared")


def test_a_request_of_the_history_leads_to_its_debugging(page: Page, endpoint: Endpoint) -> None:
    entry = stored(endpoint, method="GET", path="/api/v1/customers/2", request_body="", request_bytes=0)
    page.goto(f"/admin/endpoints/historyentry/{entry.pk}/change/")
    page.get_by_role("link", name="Debug this request").click()
    expect(page.get_by_label("customer_id")).to_have_value("2")
    expect(page.locator(".debug-sources .chip")).to_contain_text("Compared with request")


def test_a_run_without_end_is_cancelled(page: Page) -> None:
    text = page.locator("textarea[name=text]")
    endless = (
        "name: one\nmethod: GET\npath: /customers/{customer_id}\nauth: [public]\ninputs: {customer_id: int}\n"
        "stack:\n  - while: {if: true, do: [{set_variable: {name: n, value: 1}}]}\n"
    )
    text.fill(endless)
    fill(page, "1")
    page.get_by_role("button", name="Run Ctrl").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".debug-outcome")).to_contain_text("499")
    expect(page.locator(".debug-problem")).to_contain_text("cancelled")


def test_five_megabytes_are_shown_in_part_and_loaded_whole_when_asked_for(page: Page) -> None:
    page.locator("textarea[name=text]").fill(
        "name: one\nmethod: GET\npath: /customers/{customer_id}\nauth: [public]\n"
        "inputs: {customer_id: int, note: text}\nstack: []\nresponse: !expr 'input.note | fill(50000)'\n"
    )
    fill(page, "1")
    page.get_by_label("note").fill(97 * "x")
    page.get_by_role("button", name="Run Ctrl").click()
    expect(page.locator(".debug-outcome")).to_contain_text("200")
    body = page.get_by_label("Response body")
    assert len(body.inner_text()) == 100_000
    page.locator(".debug-body").get_by_role("button", name="Load all").click()
    expect(page.locator(".debug-body").get_by_role("button", name="Load all")).to_have_count(0)
    assert body.evaluate("place => place.textContent.length") == 5_000_001
