"""The grid of a table's records in a real browser: a sheet by keyboard, whose edits are never lost."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from stackyard.tables.changes import create_table
from stackyard.tables.models import Table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests import factories
from tests.browsing import Watched, check_accessibility, picture, set_theme

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])
HOSTILE = "<img src=x onerror=document.title='taken'>"


@pytest.fixture
def table(transactional_db: None) -> Table:
    """Sixty people, two companies, a field of every kind of editor."""
    shop = factories.make_workspace()
    create_table(shop, "companies", fields={"name": "text"})
    made = create_table(
        shop,
        "people",
        fields={
            "name": {"type": "text", "required": True},
            "email": {"type": "email", "unique": True},
            "age": {"type": "int", "max": 150},
            "active": "bool",
            "level": {"type": "enum", "values": ["new", "old"]},
            "company": {"type": "reference", "table": "companies"},
            "meta": "json",
            "place": "geo_point",
            "born": "date",
            "seen": "timestamp",
            "word": "password",
        },
    )
    store = Store(load_schema(shop.pk))
    # One by one: Playwright's loop gives this thread another connection than the one a transaction would begin on.
    for name in ("ACME", HOSTILE):
        store.add("companies", {"name": name})
    for n in range(60):
        store.add("people", {"name": f"P{n:02}", "email": f"p{n}@example.com", "age": n, "company": 1})
    return made


def record(table: Table, pk: int) -> dict[str, Any]:
    found = Store(load_schema(table.workspace_id)).get("people", pk)
    assert found is not None
    return found


class Sheet:
    """The grid on screen."""

    def __init__(self, page: Page, table: Table) -> None:
        self.page, self.table = page, table
        page.goto(f"/admin/tables/table/{table.pk}/records/")
        page.locator("html[data-island-grid=ready]").wait_for()
        expect(self.cell(60, "name")).to_be_visible()

    def cell(self, record: int, field: str) -> Locator:
        return self.page.locator(f'tr[data-record="{record}"] td[data-field="{field}"]')

    def go(self, record: int, field: str) -> Locator:
        cell = self.cell(record, field)
        cell.click()
        expect(cell).to_be_focused()
        return cell

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def saved(self) -> None:
        expect(self.page.locator(".grid td.saving")).to_have_count(0)


@pytest.fixture
def sheet(watched: Watched, table: Table) -> Sheet:
    return Sheet(watched.page, table)


def test_a_sheet_is_edited_by_keyboard_alone(sheet: Sheet, table: Table) -> None:
    page = sheet.page
    sheet.go(60, "name")
    sheet.press("Enter")
    page.keyboard.type("Ann")
    sheet.press("Enter")
    expect(sheet.cell(59, "name")).to_be_focused()
    page.keyboard.type("Bob")
    sheet.press("Tab", "Tab")
    expect(sheet.cell(59, "age")).to_be_focused()
    page.keyboard.type("77")
    sheet.press("Escape", "ArrowUp", "Delete", "ArrowRight", "Enter")
    page.keyboard.type("t")
    sheet.press("Tab", "Enter", "ArrowDown", "ArrowDown", "Enter")
    sheet.saved()
    expect(sheet.cell(60, "level")).to_have_text("old")
    assert record(table, 60)["name"] == "Ann"
    assert record(table, 60)["age"] is None
    assert (record(table, 60)["active"], record(table, 60)["level"]) == (True, "old")
    assert (record(table, 59)["name"], record(table, 59)["age"]) == ("Bob", 58)
    # Tab leaves the grid at the end of a row.
    sheet.press("End", "Tab")
    assert page.evaluate("!document.activeElement.closest('table.grid')")


def test_cells_of_every_kind_are_edited_fitly(sheet: Sheet, table: Table) -> None:
    page = sheet.page
    sheet.go(60, "company")
    page.keyboard.type("img")
    expect(page.get_by_role("option")).to_have_count(1)
    sheet.press("Enter")
    expect(sheet.cell(60, "company")).to_contain_text(HOSTILE)
    sheet.go(60, "meta")
    sheet.press("Enter")
    page.keyboard.type('{"a": ')
    sheet.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("not JSON")
    page.keyboard.type("[1]}")
    sheet.press("Control+Enter")
    for field, text in (
        ("place", "52.5, 13.4"),
        ("born", "1984-02-29"),
        ("seen", "2026-01-23T10:00"),
        ("word", "long enough"),
    ):
        sheet.go(60, field)
        page.keyboard.type(text)
        sheet.press("Enter")
    sheet.saved()
    expect(sheet.cell(60, "seen")).to_have_text("2026-01-23 10:00:00")
    made = record(table, 60)
    assert (made["company"], made["meta"], made["born"]) == (2, {"a": [1]}, "1984-02-29")
    assert made["place"] == {"lat": 52.5, "lng": 13.4}
    assert Store(load_schema(table.workspace_id)).verify("people", 60, "long enough")
    assert page.title() != "taken"


def test_what_is_refused_stays_at_its_cell_and_a_conflict_is_told(
    sheet: Sheet, table: Table, watched: Watched
) -> None:
    page = sheet.page
    sheet.go(60, "age")
    page.keyboard.type("999")
    sheet.press("Enter")
    expect(sheet.cell(60, "age")).to_contain_text("must be at most 150")
    expect(sheet.cell(60, "age")).to_contain_text("999")
    sheet.go(60, "email")
    page.keyboard.type("p0@example.com")
    sheet.press("Enter")
    expect(sheet.cell(60, "email")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("2 cells are not saved")).to_be_visible()
    check_accessibility(page, within="table.grid")
    picture(page, "grid-refused")
    sheet.go(60, "age")
    sheet.press("Escape")
    expect(sheet.cell(60, "age")).to_have_text("59")
    sheet.go(60, "email")
    sheet.press("Escape")
    Store(load_schema(table.workspace_id)).patch("people", 60, {"name": "Theirs"})
    sheet.go(60, "name")
    page.keyboard.type("Mine")
    sheet.press("Enter")
    expect(sheet.cell(60, "name")).to_contain_text("Somebody else wrote “Theirs”")
    expect(sheet.cell(60, "name")).to_contain_text("Mine")
    sheet.go(60, "name")
    sheet.press("Enter")
    sheet.saved()
    expect(sheet.cell(60, "name")).to_have_text("Mine")
    assert record(table, 60)["name"] == "Mine"
    watched.forget("4(00|09) ")


def test_a_lost_network_loses_nothing(sheet: Sheet, table: Table, watched: Watched) -> None:
    page = sheet.page
    page.route("**/grid/change/", lambda route: route.abort())
    sheet.go(60, "name")
    page.keyboard.type("Kept")
    sheet.press("Enter")
    expect(sheet.cell(60, "name")).to_contain_text("could not be reached")
    page.unroute("**/grid/change/")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("td.wrong")).to_have_count(0)
    sheet.saved()
    assert record(table, 60)["name"] == "Kept"
    watched.forget("ERR_FAILED")


def test_rows_are_added_selected_and_deleted(sheet: Sheet, table: Table, watched: Watched) -> None:
    page = sheet.page
    page.get_by_role("button", name="Add row").click()
    expect(sheet.cell(0, "name")).to_be_focused()
    sheet.press("Tab")
    page.keyboard.type("nobody")
    sheet.press("Tab")
    page.keyboard.type("old")
    sheet.press("Tab", "Control+Enter")
    for field in ("name", "email", "age"):
        expect(sheet.cell(0, field)).to_have_attribute("aria-invalid", "true")
    picture(page, "grid-new-row")
    for field, text in (("name", "Zoe"), ("email", "zoe@example.com"), ("age", "5")):
        sheet.go(0, field)
        page.keyboard.type(text)
        sheet.press("Tab")
    sheet.press("Control+Enter")
    expect(sheet.cell(61, "name")).to_have_text("Zoe")
    expect(page.locator("tr.draft")).to_have_count(0)
    for pk in (61, 60):
        sheet.go(pk, "age")
        sheet.press("Shift+Space")
    page.get_by_role("button", name="Delete 2 records").click()
    page.get_by_role("button", name="Yes, delete").click()
    expect(sheet.cell(60, "name")).to_have_count(0)
    assert not Store(load_schema(table.workspace_id)).has("people", 61)
    watched.forget("400 ")


def test_rows_are_filtered_sorted_and_paged_and_the_address_says_so(sheet: Sheet) -> None:
    page = sheet.page
    page.get_by_role("button", name="age", exact=True).click()
    expect(page.locator(".grid tbody tr").first).to_have_attribute("data-record", "1")
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".grid tbody tr")).to_have_count(60)
    page.get_by_role("button", name="Add filter").click()
    page.locator(".grid-filter").get_by_label("Field").select_option("name")
    page.locator(".grid-filter").get_by_label("How").select_option("contains")
    page.locator(".grid-filter").get_by_label("Value").fill("p1")
    page.locator(".grid-filter").get_by_label("Value").press("Enter")
    expect(page.locator(".grid tbody tr")).to_have_count(10)
    page.reload()
    expect(page.locator(".grid tbody tr")).to_have_count(10)
    expect(page.locator(".grid tbody tr").first).to_have_attribute("data-record", "11")
    for theme in ("light", "dark"):
        set_theme(page, theme)
        check_accessibility(page)
        picture(page, f"grid-{theme}")
    page.set_viewport_size({"width": 390, "height": 800})
    picture(page, "grid-phone")
    page.get_by_role("button", name="Remove filter").click()
    expect(page.locator(".grid tbody tr")).to_have_count(50)


def test_a_pasted_sheet_is_looked_at_and_imported(sheet: Sheet, table: Table) -> None:
    page = sheet.page
    sheet.go(60, "name")
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.setData("text/plain", "Ann\\tann@example.com\\t41\\nBob\\tnobody\\t300\\n");
            document.activeElement.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }"""
    )
    page.wait_for_url("**/import/*/")
    expect(page.get_by_role("status").filter(has_text="1 fit, 1 would be refused")).to_be_visible()
    expect(page.get_by_label("Field for email")).to_have_value("email")
    for theme in ("light", "dark"):
        set_theme(page, theme)
        check_accessibility(page)
        picture(page, f"import-look-{theme}")
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url("**/runs/run/**")
