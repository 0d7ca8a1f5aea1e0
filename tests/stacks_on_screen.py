"""The visual editor as tests steer it: a page with one stack on it, its rows by line id, its draft in the database."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from endpoints.models import ApiGroup, Endpoint
from endpoints.publishing import create_endpoint
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests import factories


def expr(source: str) -> dict[str, str]:
    """An expression in a document."""
    return {"$expr": source}


def setting(line_id: str, value: Any = 1) -> dict[str, Any]:
    """A line that sets a variable of its own name."""
    return {"id": line_id, "step": "set_variable", "params": {"name": line_id, "value": value}}


LINES: list[dict[str, Any]] = [
    {
        "id": "find",
        "step": "query_all_records",
        "as": "customer",
        "params": {"table": "customers", "where": {"id": expr("input.customer_id")}, "return": "single"},
    },
    {
        "id": "known",
        "step": "precondition",
        "params": {"if": expr("customer != null"), "status": 404, "code": "NO_CUSTOMER"},
    },
    {
        "id": "cond",
        "step": "condition",
        "params": {
            "if": expr("customer.active == true"),
            "then": [setting("label", expr("customer.name | to_upper"))],
            "else": [setting("other", "Inactive")],
        },
    },
    setting("last", 1),
]


def make_shop() -> ApiGroup:
    """A group in a workspace with three customers."""
    shop = factories.make_workspace()
    create_table(
        shop,
        "customers",
        fields={"name": {"type": "text", "required": True}, "active": "bool", "age": "int", "born": "date"},
    )
    store = Store(load_schema(shop.pk))
    # One by one: Playwright's loop gives this thread another connection than the one a transaction would begin on.
    for name, age in (("Ann", 41), ("Bob", 17), ("Cyd", 70)):
        store.add("customers", {"name": name, "active": age > 18, "age": age})
    return factories.make_group(shop, mount="v1")


def make_draft(group: ApiGroup, lines: list[dict[str, Any]], **more: Any) -> Endpoint:
    """An endpoint that was never published."""
    document = {
        "name": f"stack_{group.endpoints.count()}",
        "method": "GET",
        "path": f"/stack{group.endpoints.count()}/{{customer_id}}",
        "auth": ["public"],
        "inputs": {"customer_id": {"type": "int"}},
        "lines": lines,
        "response": None,
        **more,
    }
    return create_endpoint(group, document)


class Stack:
    """One stack on screen."""

    def __init__(self, page: Page, endpoint: Endpoint) -> None:
        self.page = page
        self.endpoint = endpoint

    def open(self) -> Stack:
        """Go to it and wait for its rows."""
        self.page.goto(f"/admin/endpoints/endpoint/{self.endpoint.pk}/change/")
        expect(self.page.get_by_role("treegrid")).to_be_visible()
        return self

    def row(self, key: str) -> Locator:
        """A row by its line's id."""
        return self.page.locator(f'.rows [data-row="{key}"]')

    @property
    def panel(self) -> Locator:
        """The form beside the stack."""
        return self.page.get_by_role("complementary", name="Panel")

    def choose(self, key: str) -> None:
        """Press a row."""
        self.row(key).locator(".says, .slot-name, .lead").first.click(position={"x": 4, "y": 12})

    def focus(self, key: str) -> None:
        """Put the focus on a row, as the keyboard would."""
        self.row(key).focus()

    def keys(self, *keys: str) -> None:
        """Press keys one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def order(self) -> list[str]:
        """The ids of the lines on screen, in order."""
        rows = self.page.locator(".rows .row.line").all()
        placed = [
            (int(row.get_attribute("aria-rowindex") or 0), str(row.get_attribute("data-row"))) for row in rows
        ]
        return [key for _, key in sorted(placed)]

    def saved(self) -> dict[str, Any]:
        """The draft in the database, once everything on screen has arrived there."""
        expect(self.page.locator(".saving.saved")).to_be_visible()
        self.endpoint.refresh_from_db()
        draft: dict[str, Any] = self.endpoint.draft
        return draft

    def focused(self) -> str:
        """The row with the focus."""
        found = self.page.evaluate("document.activeElement?.dataset?.row ?? ''")
        return str(found)
