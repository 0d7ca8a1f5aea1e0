"""Records in the console: list, filter, sort, page, add, edit, delete."""

from __future__ import annotations

import re
import time
from html import unescape
from typing import Any

import pytest
from django.test import Client

from endpoints.models import Endpoint
from stackyard.console.sketches import digest_of
from stackyard.tables.changes import create_table
from stackyard.tables.models import Table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def customers(console: Client) -> Table:
    """Companies, and customers with a field of every common type."""
    shop = factories.make_workspace()
    create_table(shop, "companies", fields={"name": "text"})
    return create_table(
        shop,
        "customers",
        fields={
            "name": {"type": "text", "required": True, "max_length": 40},
            "email": {"type": "email", "unique": True},
            "age": "int",
            "balance": "decimal",
            "active": {"type": "bool", "default": True},
            "level": {"type": "enum", "values": ["new", "old"]},
            "born": "date",
            "seen": "timestamp",
            "tags": {"type": "list", "of": "text"},
            "meta": "json",
            "company": {"type": "reference", "table": "companies", "on_delete": "set_null"},
            "note": {"type": "text", "access": "private"},
        },
    )


def store_of(table: Table) -> Store:
    return Store(load_schema(table.workspace_id))


def records_of(table: Table) -> str:
    return f"/admin/tables/table/{table.pk}/records/"


def sent(**values: Any) -> dict[str, Any]:
    return {f"field-{name}": value for name, value in values.items()}


def record(table: Table, pk: int) -> dict[str, Any]:
    names = list(load_schema(table.workspace_id).table(table.name).fields)
    found = store_of(table).get(table.name, pk, fields=names)
    assert found is not None
    return found


def column(answer: Any, number: int) -> list[str]:
    """The texts of one column of the list."""
    rows = re.findall(r"<tr>(<th scope=\"row\".*?)</tr>", answer.content.decode(), re.S)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
    return [unescape(re.sub(r"<[^>]+>", "", row[number])) for row in cells]


def errors(answer: Any) -> str:
    """Every message at the inputs."""
    text = unescape(answer.content.decode())
    return " ".join(part.split("</ul>")[0] for part in text.split('class="errorlist')[1:])


def test_a_record_is_added_with_values_of_every_type(console: Client, customers: Table) -> None:
    company = store_of(customers).add("companies", {"name": "ACME"})
    answer = console.post(
        f"{records_of(customers)}add/",
        sent(
            name="Ann\r\nLee",
            email="ann@example.com",
            age="41",
            balance="12.50",
            active="false",
            level="old",
            born="1984-02-29",
            seen="2026-01-23T10:00:00Z",
            tags='["a", "b"]',
            meta='{"a": {"b": 1}}',
            company=str(company["id"]),
            note="private",
        ),
    )
    assert answer.status_code == 302, errors(answer)
    made = record(customers, 1)
    assert made["name"] == "Ann\nLee"
    assert (made["age"], str(made["balance"]), made["active"], made["level"]) == (41, "12.50", False, "old")
    assert made["born"] == "1984-02-29"
    assert made["seen"].year == 2026
    assert (made["tags"], made["meta"]) == (["a", "b"], {"a": {"b": 1}})
    assert (made["company"], made["note"]) == (company["id"], "private")
    text = console.get(records_of(customers)).content.decode()
    assert "ann@example.com" in text
    assert f"/records/{company['id']}/" in text


def test_what_is_left_empty_takes_its_default(console: Client, customers: Table) -> None:
    assert console.post(f"{records_of(customers)}add/", sent(name="Ann")).status_code == 302
    made = record(customers, 1)
    assert made["active"] is True
    assert made["email"] is None


def test_all_faults_are_shown_at_their_inputs_at_once(console: Client, customers: Table) -> None:
    answer = console.post(
        f"{records_of(customers)}add/",
        sent(email="nobody", age="old", level="middle", born="2026-02-30", tags="{", company="0"),
    )
    assert answer.status_code == 200
    text = unescape(answer.content.decode())
    for name in ("name", "email", "age", "level", "born", "tags", "company"):
        assert f'id="field-{name}-errors"' in text, name
    assert 'value="nobody"' in text
    assert "middle" in text
    assert not store_of(customers).has("customers", 1)


def test_what_only_the_store_can_know_is_said_at_the_input(console: Client, customers: Table) -> None:
    add = f"{records_of(customers)}add/"
    console.post(add, sent(name="Ann", email="ann@example.com"))
    twice = console.post(add, sent(name="Bob", email="ann@example.com"))
    assert 'id="field-email-errors"' in twice.content.decode() or errors(twice)
    assert twice.status_code == 200
    nowhere = console.post(add, sent(name="Bob", company="77"))
    assert nowhere.status_code == 200
    assert errors(nowhere)


def test_only_what_was_changed_is_written(console: Client, customers: Table) -> None:
    store_of(customers).add("customers", {"name": "Ann", "age": 41, "meta": {"z": 1, "a": 2}})
    page = f"{records_of(customers)}1/"
    text = console.get(page).content.decode()
    form = {
        name: unescape(value)
        for name, value in re.findall(
            r'<textarea name="(field-\w+-before)" hidden>\n(.*?)</textarea>', text, re.S
        )
    }
    form |= {name.removesuffix("-before"): value for name, value in form.items()}
    # Somebody else changes the age while this form is open.
    store_of(customers).patch("customers", 1, {"age": 42})
    assert console.post(page, {**form, "field-name": "Anne"}).status_code == 302
    assert record(customers, 1)["name"] == "Anne"
    assert record(customers, 1)["age"] == 42


def test_an_emptied_input_becomes_null_and_a_required_one_is_refused(
    console: Client, customers: Table
) -> None:
    store_of(customers).add("customers", {"name": "Ann", "age": 41})
    page = f"{records_of(customers)}1/"
    before = {"field-name-before": "Ann", "field-age-before": "41", "field-active-before": "true"}
    kept = {"field-active": "true"}
    assert console.post(page, {**before, **kept, "field-name": "Ann", "field-age": ""}).status_code == 302
    assert record(customers, 1)["age"] is None
    refused = console.post(page, {**before, **kept, "field-name": "", "field-age": ""})
    assert refused.status_code == 200
    assert "field-name-errors" in refused.content.decode()
    assert record(customers, 1)["name"] == "Ann"


def test_a_record_is_deleted_after_a_question(console: Client, customers: Table) -> None:
    store_of(customers).add("customers", {"name": "Ann"})
    page = f"{records_of(customers)}1/delete/"
    assert "Yes, delete" in console.get(page).content.decode()
    assert console.post(page).status_code == 302
    assert "No record yet" in console.get(records_of(customers)).content.decode()
    assert console.post(page).status_code == 302


def test_the_list_is_sorted_filtered_and_paged(console: Client, customers: Table) -> None:
    people = [{"name": f"Person {n:03}", "age": n % 7, "level": ("new", "old")[n % 2]} for n in range(120)]
    store_of(customers).add_many("customers", people)
    base = records_of(customers)
    assert column(console.get(base), 0)[:2] == ["120", "119"]
    assert column(console.get(f"{base}?sort=name"), 1)[0] == "Person 000"
    assert len(column(console.get(base), 0)) == 50
    assert column(console.get(f"{base}?page=3"), 0)[-1] == "1"
    assert len(column(console.get(f"{base}?page=3"), 0)) == 20
    assert "of 120" in console.get(f"{base}?count=1").content.decode()
    assert "of 120" not in console.get(base).content.decode()
    found = console.get(f"{base}?field=name&op=contains&value=PERSON 01")
    assert len(column(found, 0)) == 10
    assert set(column(console.get(f"{base}?field=age&op=equals&value=3"), 3)) == {"3"}
    assert set(column(console.get(f"{base}?field=level&op=differs&value=new"), 6)) == {"old"}
    assert len(column(console.get(f"{base}?field=email&op=empty&value="), 0)) == 50
    assert "No record matches" in console.get(f"{base}?field=name&op=equals&value=nobody").content.decode()


@pytest.mark.parametrize(
    "asked",
    [
        "?field=age&op=equals&value=old",
        "?field=age&op=contains&value=1",
        "?field=tags&op=least&value=1",
        "?field=seen&op=equals&value=tomorrow",
        "?field=nothing&op=equals&value=1",
        "?field=age&op=magic&value=1",
        "?sort=nothing",
        "?sort=tags",
        "?page=0",
        "?page=-1",
        "?page=abc",
        "?page=%C2%B2",
        "?page=999999999999999999999",
        "?page=90000000",
        "?field=name&op=equals&value=%00",
        "?field=company&op=equals&value=99999999999999999999",
    ],
)
def test_an_odd_address_is_answered(console: Client, customers: Table, asked: str) -> None:
    store_of(customers).add("customers", {"name": "Ann", "age": 1})
    assert console.get(records_of(customers) + asked).status_code == 200


@pytest.mark.parametrize("number", [0, 10**9, 10**18, 10**30])
def test_a_number_that_is_no_record_or_table_leads_back(
    console: Client, customers: Table, number: int
) -> None:
    for address in (
        f"{records_of(customers)}{number}/",
        f"/admin/tables/table/{number}/records/",
        f"/admin/tables/table/{number}/records/1/",
        f"/admin/endpoints/endpoint/{number}/change/",
        f"/admin/stacks/function/{number}/revisions/{number}/",
        f"/admin/accounts/apikey/{number}/change/",
        f"/admin/endpoints/historyentry/{number}/change/",
    ):
        assert console.get(address).status_code == 302, address
    assert console.post(f"{records_of(customers)}{number}/delete/").status_code == 302


def test_characters_no_database_keeps_are_refused_or_replaced(console: Client, customers: Table) -> None:
    add = console.post(f"{records_of(customers)}add/", sent(name="a\0b", note="\0", meta='{"a": "\0"}'))
    assert add.status_code == 200
    assert "field-name-errors" in add.content.decode()
    group = factories.make_group(customers.workspace)
    endpoint = factories.make_endpoint(group)
    odd = {"text": "name: \0\n", "message": "\0", "inputs": '{"a": "\0"}', "caret": "\0"}
    for do in ("check", "save", "publish", "try"):
        seen = digest_of(Endpoint.objects.get(pk=endpoint.pk).draft)
        answer = console.post(
            f"/admin/endpoints/endpoint/{endpoint.pk}/change/", {**odd, "do": do, "seen": seen}
        )
        assert answer.status_code in (200, 302)
    for address in ("/admin/tables/table/add/", "/admin/accounts/apikey/add/", "/admin/stacks/function/add/"):
        assert console.post(address, {"name": "\0", "workspace": "\0", "scopes": "\0"}).status_code == 200


def test_hostile_records_are_shown_as_text(console: Client, customers: Table) -> None:
    hostile = "</textarea><script>x()</script>"
    store_of(customers).add(
        "customers", {"name": hostile, "note": hostile, "tags": [hostile], "meta": {"a": hostile}}
    )
    for address in ("", "1/", "1/delete/", "?field=name&op=contains&value=" + hostile):
        assert "<script>x" not in console.get(records_of(customers) + address).content.decode()


def test_a_list_of_many_records_stays_quick(console: Client, customers: Table) -> None:
    store = store_of(customers)
    for start in range(0, 20_000, 10_000):
        store.add_many("customers", [{"name": f"P{start + n}", "age": n} for n in range(10_000)])
    began = time.perf_counter()
    for asked in ("", "?sort=-id&page=300", "?field=id&op=equals&value=77"):
        assert console.get(records_of(customers) + asked).status_code == 200
    assert time.perf_counter() - began < 3
