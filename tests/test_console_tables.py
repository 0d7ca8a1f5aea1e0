"""Tables in the console: make, add, change, rename, hide; fields and indexes."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client

from stackyard.console.field_forms import read_options, write_options
from stackyard.core.models import Workspace
from stackyard.runs import dispatch
from stackyard.tables.models import Table
from stackyard.tables.schema import load_schema
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "history"])

ADD = "/admin/tables/table/add/"


@pytest.fixture
def shop(console: Client) -> Workspace:
    """A workspace without tables."""
    return factories.make_workspace()


def form_of(shop: Workspace, name: str, *rows: dict[str, str]) -> dict[str, Any]:
    """What the page of a new table sends."""
    made: dict[str, Any] = {
        "workspace": shop.pk,
        "name": name,
        "fields-TOTAL_FORMS": max(4, len(rows)),
        "fields-INITIAL_FORMS": 0,
    }
    for number in range(max(4, len(rows))):
        row = rows[number] if number < len(rows) else {}
        for key, value in {"type": "text", "access": "public", **row}.items():
            made[f"fields-{number}-{key}"] = value
    return made


def make(console: Client, shop: Workspace, name: str, *rows: dict[str, str]) -> Table:
    answer = console.post(ADD, form_of(shop, name, *rows))
    assert answer.status_code == 302, errors(answer)
    return Table.objects.get(name=name)


def errors(answer: Any) -> str:
    """Every message on a form."""
    text = unescape(answer.content.decode())
    return " ".join(part.split("</ul>")[0] for part in text.split('class="errorlist')[1:])


def field(table: Table, name: str) -> Any:
    return load_schema(table.workspace_id).table(table.name).field(name)


def test_a_table_is_made_with_its_fields(console: Client, shop: Workspace) -> None:
    companies = make(console, shop, "companies", {"name": "name"})
    customers = make(
        console,
        shop,
        "customers",
        {"name": "name", "required": "on", "options": "max_length: 80, trim: true"},
        {"name": "email", "type": "email", "unique": "on", "access": "private"},
        {"name": "company", "type": "reference", "options": "table: companies\non_delete: cascade"},
        {"name": "tags", "type": "list", "options": "of: text"},
        {"name": "level", "type": "enum", "options": "values: [new, old]", "default": "new"},
        {"name": "points", "type": "int", "default": "5"},
        {"name": "code", "default": "12"},
    )
    assert field(customers, "name").required
    assert field(customers, "name").type.options["max_length"] == 80
    assert field(customers, "email").unique
    assert field(customers, "email").access == "private"
    assert field(customers, "company").target == companies.pk
    assert field(customers, "tags").type.of.name == "text"
    assert field(customers, "level").default == "new"
    assert field(customers, "points").default == 5
    assert field(customers, "code").default == "12"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"name": "no good"}, "is not a name"),
        ({"name": "id"}, "already"),
        ({"name": "n", "type": "enum"}, "say which values"),
        ({"name": "n", "type": "reference", "options": "table: nowhere"}, "no table"),
        ({"name": "n", "options": "max_lenght: 5"}, "max_length"),
        ({"name": "n", "options": "max_length: [1"}, "Not readable"),
        ({"name": "n", "options": "[just, text]"}, "max_length: 20"),
        ({"name": "n", "type": "int", "default": "abc"}, "expected an integer"),
        ({"name": "n", "type": "int", "default": "[1"}, "Not readable"),
        ({"name": "n", "type": "magic"}, "valid choice"),
        ({"name": "n", "type": "list", "options": "of: text", "unique": "on"}, "can't be unique"),
    ],
)
def test_a_wrong_field_says_why_at_its_row(
    console: Client, shop: Workspace, row: dict[str, str], said: str
) -> None:
    answer = console.post(ADD, form_of(shop, "things", {"name": "fine"}, row))
    assert answer.status_code == 200
    assert said.lower() in errors(answer).lower()
    assert not Table.objects.exists()


def test_all_faults_of_all_rows_are_shown_at_once(console: Client, shop: Workspace) -> None:
    rows = [{"name": "a b"}, {"name": "n", "type": "enum"}, {"name": "m", "options": "max_length: -1"}]
    said = errors(console.post(ADD, form_of(shop, "things", *rows)))
    assert "is not a name" in said
    assert "Say which values" in said
    assert "Must be at least" in said


@pytest.mark.parametrize(
    ("name", "said"), [("", "required"), ("no good", "is not a name"), ("TAKEN", "already")]
)
def test_a_wrong_table_says_why(console: Client, shop: Workspace, name: str, said: str) -> None:
    make(console, shop, "taken", {"name": "a"})
    answer = console.post(ADD, form_of(shop, name, {"name": "a"}))
    assert said.lower() in errors(answer).lower()
    assert Table.objects.count() == 1


def test_two_rows_with_one_name_are_refused(console: Client, shop: Workspace) -> None:
    answer = console.post(ADD, form_of(shop, "things", {"name": "a"}, {"name": "A"}))
    assert "Another row has this name" in errors(answer)


def test_without_script_the_button_adds_rows(console: Client, shop: Workspace) -> None:
    answer = console.post(ADD, {**form_of(shop, "things", {"name": "a"}), "more": ""})
    text = answer.content.decode()
    assert 'name="fields-6-name"' in text
    assert 'value="a"' in text
    assert not Table.objects.exists()


def test_a_torn_form_is_no_server_error(console: Client, shop: Workspace) -> None:
    for broken in (
        {"workspace": shop.pk, "name": "a"},
        {"fields-TOTAL_FORMS": "x"},
        {"more": "", "fields-TOTAL_FORMS": "x"},
    ):
        assert console.post(ADD, broken).status_code == 200


def page_of(table: Table) -> str:
    return f"/admin/tables/table/{table.pk}/change/"


def test_a_field_is_added_to_a_table_that_is_there(console: Client, shop: Workspace) -> None:
    table = make(console, shop, "customers", {"name": "name"})
    values = {
        "do": "field",
        "field-name": "city",
        "field-type": "text",
        "field-access": "public",
        "field-default": "Berlin",
    }
    assert console.post(page_of(table), values).status_code == 302
    assert field(table, "city").default == "Berlin"
    again = console.post(page_of(table), values)
    assert "already" in errors(again)
    wrong = console.post(page_of(table), {**values, "field-name": "x", "field-options": "nonsense: 1"})
    assert "nonsense" in errors(wrong)


def test_a_table_is_renamed_and_described(console: Client, shop: Workspace) -> None:
    table = make(console, shop, "customers", {"name": "name"})
    make(console, shop, "orders", {"name": "name"})
    assert (
        console.post(
            page_of(table), {"do": "table", "name": "clients", "description": "Who buys"}
        ).status_code
        == 302
    )
    table.refresh_from_db()
    assert (table.name, table.description) == ("clients", "Who buys")
    assert "already" in errors(console.post(page_of(table), {"do": "table", "name": "orders"}))
    assert "clients" in console.get(page_of(table)).content.decode()


def test_a_field_is_changed_and_renamed(console: Client, shop: Workspace) -> None:
    table = make(console, shop, "customers", {"name": "name", "options": "max_length: 20, trim: true"})
    name = table.fields.get()
    page = f"/admin/tables/table/{table.pk}/fields/{name.pk}/"
    text = unescape(console.get(page).content.decode())
    assert "max_length: 20" in text
    answer = console.post(
        page,
        {
            "name": "full_name",
            "options": "max_length: 40",
            "default": "nobody",
            "unique": "on",
            "access": "private",
        },
    )
    assert answer.status_code == 302, errors(answer)
    changed = field(table, "full_name")
    assert changed.type.options["max_length"] == 40
    assert not changed.type.options["trim"]
    assert changed.unique
    assert changed.access == "private"
    assert changed.default == "nobody"
    # And back: what is left out of the form is taken away.
    assert console.post(page, {"name": "full_name", "access": "public"}).status_code == 302
    changed = field(table, "full_name")
    assert not changed.unique
    assert changed.default is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "other"}, "already"),
        ({"options": "position: 3"}, 'has no option "position"'),
        ({"options": "type: int"}, 'has no option "type"'),
        ({"options": "min_length: 5, max_length: 2"}, "above"),
        ({"options": "pattern: '['"}, "regular expression"),
    ],
)
def test_a_wrong_change_of_a_field_says_why(
    console: Client, shop: Workspace, changed: dict[str, str], said: str
) -> None:
    table = make(console, shop, "customers", {"name": "name"}, {"name": "other"})
    page = f"/admin/tables/table/{table.pk}/fields/{table.fields.get(name='name').pk}/"
    answer = console.post(page, {"name": "name", "access": "public", **changed})
    assert answer.status_code == 200
    assert said.lower() in errors(answer).lower()


def test_a_field_and_a_table_are_taken_away_after_a_question(console: Client, shop: Workspace) -> None:
    table = make(console, shop, "customers", {"name": "name"}, {"name": "city"})
    city = table.fields.get(name="city")
    page = f"/admin/tables/table/{table.pk}/fields/{city.pk}/hide/"
    assert "Yes, delete" in console.get(page).content.decode()
    assert console.post(page).status_code == 302
    assert "city" not in load_schema(shop.pk).table("customers").fields
    assert console.post(f"/admin/tables/table/{table.pk}/delete/", follow=True).status_code == 200
    assert "customers" not in load_schema(shop.pk).tables
    assert ">customers<" not in console.get("/admin/tables/table/").content.decode()
    assert console.get(page_of(table)).status_code == 302


def test_a_table_that_others_refer_to_stays(console: Client, shop: Workspace) -> None:
    companies = make(console, shop, "companies", {"name": "name"})
    make(console, shop, "customers", {"name": "company", "type": "reference", "options": "table: companies"})
    answer = console.post(f"/admin/tables/table/{companies.pk}/delete/", follow=True)
    assert "customers.company" in answer.content.decode()
    assert "companies" in load_schema(shop.pk).tables


def test_an_index_is_added_and_dropped(console: Client, shop: Workspace) -> None:
    table = make(console, shop, "orders", {"name": "status"}, {"name": "number", "type": "int"})
    values = {"do": "index", "index-names": "status -number", "index-unique": "on"}
    assert console.post(page_of(table), values).status_code == 302
    index = table.indexes.get(hidden_at=None)
    assert index.unique
    assert "number ↓" in console.get(page_of(table)).content.decode()
    assert "no field" in errors(console.post(page_of(table), {"do": "index", "index-names": "nothing"}))
    assert console.post(f"/admin/tables/table/{table.pk}/indexes/{index.pk}/hide/").status_code == 302
    assert not load_schema(shop.pk).table("orders").indexes


def test_what_is_not_there_leads_back_with_a_word(console: Client, shop: Workspace) -> None:
    table = make(console, shop, "orders", {"name": "status"})
    base = f"/admin/tables/table/{table.pk}"
    for address in (
        "/admin/tables/table/999/change/",
        f"{base}/fields/999/",
        f"{base}/fields/999/hide/",
        f"{base}/indexes/999/hide/",
        f"{base}/records/999/",
        "/admin/tables/table/999/records/",
    ):
        assert console.get(address).status_code == 302, address


def test_hostile_texts_are_shown_as_text(console: Client, shop: Workspace) -> None:
    hostile = "<script>alert(1)</script>"
    table = make(console, shop, "things", {"name": "a", "default": hostile})
    console.post(page_of(table), {"do": "table", "name": "things", "description": hostile})
    one = table.fields.get()
    for address in (
        page_of(table),
        "/admin/tables/table/",
        f"/admin/tables/table/{table.pk}/fields/{one.pk}/",
    ):
        text = console.get(address).content.decode()
        assert hostile not in text
        assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", {}),
        ("max_length: 20", {"max_length": 20}),
        ("{max_length: 20, lower: true}", {"max_length": 20, "lower": True}),
        ("table: companies, on_delete: set_null", {"table": "companies", "on_delete": "set_null"}),
        ("values: [a, 'b, c']\n", {"values": ["a", "b, c"]}),
        (
            "of: {type: text, max_length: 3}\nmin_items: 1",
            {"of": {"type": "text", "max_length": 3}, "min_items": 1},
        ),
    ],
)
def test_options_are_read_in_every_spelling(text: str, options: dict[str, Any]) -> None:
    assert read_options(text) == options
    assert read_options(write_options(options)) == options


def test_a_new_table_begins_in_the_chosen_workspace_with_what_is_there(
    console: Client, shop: Workspace
) -> None:
    make(console, shop, "customers", {"name": "name"})
    first = factories.make_workspace("another")
    for chosen, has_customers in ((first, False), (shop, True)):
        kept = console.session
        kept["workspace"] = chosen.pk
        kept.save()
        page = unescape(console.get(f"{ADD}?template=orders").content.decode())
        assert f'<option value="{chosen.pk}" selected>' in page
        assert ("table: customers" in page) is has_customers


def test_the_page_of_a_tables_run_leads_to_the_table(console: Client, shop: Workspace) -> None:
    table = make(console, shop, "things", {"name": "a"})
    run = dispatch.start("import", shop, table.pk, target_name="things", input={"file": "x"})
    page = console.get(f"/admin/runs/run/{run.pk}/change/").content.decode()
    assert f'<a href="/admin/tables/table/{table.pk}/change/">things</a>' in page
    assert "gone" not in page.split("</p>")[0].rpartition("<p>")[2]
