"""The forms of a query's parts in a real browser: related records, joins, groups and what is worked out of them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from endpoints.models import ApiGroup
from stackyard.tables.changes import create_table
from tests.browsing import Watched, check_accessibility, picture
from tests.stacks_on_screen import Stack, make_draft, make_shop

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])


@pytest.fixture
def group(transactional_db: None) -> ApiGroup:
    """A shop's group."""
    return make_shop()


def test_related_records_are_chosen_in_a_form_level_by_level(watched: Watched, group: ApiGroup) -> None:
    watched.page.set_viewport_size({"width": 1440, "height": 900})
    customer = {"type": "reference", "table": "customers", "required": True}
    create_table(group.workspace, "orders", fields={"customer": customer, "total": "int"})
    order = {"type": "reference", "table": "orders"}
    create_table(group.workspace, "parts", fields={"order": order, "what": "text"})
    query = {"id": "all", "step": "query_all_records", "as": "all", "params": {"table": "customers"}}
    stack = Stack(watched.page, make_draft(group, [query])).open()
    stack.choose("all")
    stack.panel.locator("details.more summary", has_text="more settings").click()
    stack.panel.get_by_label("Add related records of customers").select_option(
        label="orders, whose customer is this record"
    )
    orders = stack.panel.get_by_role("group", name="orders", exact=True)
    orders.get_by_label("Put into the record as").first.fill("bought")
    orders.get_by_role("group", name="Fields of orders").get_by_label("total").check()
    orders.get_by_label("Add related records of orders").select_option(
        label="parts, whose order is this record"
    )
    orders.get_by_role("group", name="parts", exact=True).get_by_label("What comes back").select_option(
        "count"
    )
    assert stack.saved()["lines"][0]["params"]["addons"] == [
        {
            "table": "orders",
            "match": {"customer": "id"},
            "as": "bought",
            "fields": ["total"],
            "addons": [{"table": "parts", "match": {"order": "id"}, "as": "parts", "return": "count"}],
        }
    ]
    expect(stack.panel.locator(".problem")).to_have_count(0)
    check_accessibility(stack.page)
    picture(stack.page, "addons")


def test_joins_groups_and_what_is_worked_out_have_forms(watched: Watched, group: ApiGroup) -> None:
    watched.page.set_viewport_size({"width": 1440, "height": 900})
    customer = {"type": "reference", "table": "customers", "required": True}
    create_table(
        group.workspace, "orders", fields={"customer": customer, "total": "int", "paid_at": "timestamp"}
    )
    query = {"id": "all", "step": "query_all_records", "as": "all", "params": {"table": "orders"}}
    stack = Stack(watched.page, make_draft(group, [query])).open()
    stack.choose("all")
    panel = stack.panel
    panel.locator("details.more summary", has_text="more settings").click()
    panel.get_by_role("combobox", name="Join a table").select_option(label="customers, by customer")
    buyer = panel.get_by_role("group", name="customers", exact=True)
    buyer.get_by_label("Records without one").select_option("inner")
    panel.get_by_role("button", name="Group by a field").click()
    panel.get_by_role("combobox", name="Group by").select_option("paid_at")
    panel.get_by_role("combobox", name="Part of paid_at").select_option("month")
    panel.get_by_role("button", name="Group by a field").click()
    panel.get_by_role("combobox", name="Group by").nth(1).select_option("customers.name")
    panel.get_by_role("button", name="Work out a value").click()
    panel.get_by_role("combobox", name="What to work out").select_option("sum")
    panel.get_by_role("combobox", name="Of which field").select_option("total")
    name = panel.locator("#all-aggregate-0-name")
    name.fill("revenue")
    name.press("Enter")
    panel.get_by_role("button", name="Sort by a field").click()
    panel.get_by_role("combobox", name="Sort by").select_option("revenue")
    assert stack.saved()["lines"][0]["params"] == {
        "table": "orders",
        "join": [{"table": "customers", "as": "customers", "match": {"id": "customer"}, "type": "inner"}],
        "group_by": [{"field": "paid_at", "part": "month"}, "customers.name"],
        "aggregate": {"revenue": {"sum": "total"}},
        "sort": ["revenue"],
    }
    expect(panel.locator(".problem")).to_have_count(0)
    check_accessibility(stack.page)
    panel.get_by_role("button", name="Work out a value").scroll_into_view_if_needed()
    picture(stack.page, "aggregates")


def test_a_sort_that_is_worked_out_is_shown_as_it_is_and_can_become_fields(
    watched: Watched, group: ApiGroup
) -> None:
    sorted_by = {"table": "customers", "sort": {"$expr": "input.how"}}
    query = {"id": "all", "step": "query_all_records", "as": "all", "params": sorted_by}
    stack = Stack(watched.page, make_draft(group, [query], inputs={"how": "text"})).open()
    stack.choose("all")
    sort = stack.panel.get_by_role("group", name="Sort", exact=True).first
    expect(sort).to_contain_text("input.how")
    sort.get_by_role("button", name="Clear").click()
    sort.get_by_role("button", name="Sort by a field").click()
    sort.get_by_label("Sort by", exact=True).select_option("name")
    assert stack.saved()["lines"][0]["params"]["sort"] == ["name"]
