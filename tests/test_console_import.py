"""CSV in and out of a table in the console: the look before anything is written, the run, what it refused, the export."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from stackyard.runs.models import Run
from stackyard.runs.working import work
from stackyard.tables.changes import create_table
from stackyard.tables.imports import preview
from stackyard.tables.models import Table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])


@pytest.fixture
def people(console: Client) -> Table:
    """People with a name, an age and an address that tells them apart."""
    shop = factories.make_workspace()
    fields = {
        "name": {"type": "text", "required": True},
        "age": "int",
        "email": {"type": "email", "unique": True},
    }
    return create_table(shop, "people", fields=fields)


def names(table: Table) -> list[str]:
    found = Store(load_schema(table.workspace_id)).query(_all(table))
    return [record["name"] for record in found]


def _all(table: Table) -> Any:
    from stackyard.tables.query import Query

    return Query(table=table.name, sort=["id"])


def upload(console: Client, table: Table, content: bytes) -> str:
    """Upload a file; the address of the look at it."""
    answer = console.post(
        f"/admin/tables/table/{table.pk}/import/", {"file": SimpleUploadedFile("a.csv", content)}
    )
    assert answer.status_code == 302, answer.content
    return str(answer.headers["Location"])


def test_a_file_is_looked_at_before_it_is_imported_by_a_run(console: Client, people: Table) -> None:
    address = upload(
        console, people, "Name;Age;E-Mail\nJürgen;41;j@example.com\nBob;old;b@example.com\n".encode("cp1252")
    )
    text = console.get(address).content.decode()
    assert "2 rows were looked at: 1 fit, 1 would be refused" in text
    assert "expected an integer" in text
    assert names(people) == []
    answer = console.post(address, {"do": "import", "encoding": "cp1252", "delimiter": ";"})
    run = Run.objects.get()
    assert str(run.pk) in answer.headers["Location"]
    work(run.pk)
    assert names(people) == ["Jürgen"]
    refused = console.get(f"/admin/tables/table/{people.pk}/imported/{run.pk}/rejects/")
    assert b"".join(refused.streaming_content).decode().splitlines()[1].startswith("3,Age,old,")


def test_values_that_a_unique_field_would_hold_twice_are_told_before(
    console: Client, people: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "_BATCH", 2)
    Store(load_schema(people.workspace_id)).add("people", {"name": "Ann", "email": "a@example.com"})
    rows = [
        "Anna,a@example.com",
        "Bob,b@example.com",
        "Cy,",
        "Dan,B@example.com",
        "Eve,b@example.com",
        "Fay,",
    ]
    address = upload(console, people, "\n".join(["name,email", *rows, ""]).encode())
    text = console.get(address).content.decode()
    told = len(re.findall("is taken|is in a row above already", text))
    console.post(address, {"do": "import"})
    run = Run.objects.get()
    work(run.pk)
    run.refresh_from_db()
    assert run.result is not None
    assert told == run.result["rejected"] == len(rows) - run.result["added"]
    assert f"6 rows were looked at: {run.result['added']} fit, {told} would be refused" in text


def test_columns_are_chosen_and_records_changed_by_a_unique_field(console: Client, people: Table) -> None:
    Store(load_schema(people.workspace_id)).add("people", {"name": "Ann", "email": "a@example.com"})
    address = upload(console, people, b"who,mail\nAnna,a@example.com\nBob,b@example.com\n")
    assert "Import CSV" in console.get(address).content.decode()
    missing = console.post(address, {"do": "import"})
    assert "No header names a field" in missing.content.decode()
    sent = {"do": "import", "column-0": "name", "column-1": "email", "key": "email"}
    assert console.post(address, sent).status_code == 302
    work(Run.objects.get().pk)
    assert names(people) == ["Anna", "Bob"]


def test_a_pasted_sheet_of_ten_thousand_rows_is_looked_at(console: Client, people: Table) -> None:
    rows = "".join(f"P{n}\t{'x' if n == 5_000 else n}\tp{n}@example.com\n" for n in range(10_000))
    sent = json.dumps({"text": f"name\tage\temail\n{rows}"})
    grid = f"/admin/tables/table/{people.pk}/grid/paste/"
    address = console.post(grid, sent, content_type="application/json").json()["url"]
    text = console.get(address).content.decode()
    assert "10000 rows were looked at: 9999 fit, 1 would be refused" in text
    assert console.post(grid, "{}", content_type="application/json").status_code == 400


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00\x01", b'"open\n', "﻿name\nAnn".encode("utf-16")])
def test_an_odd_file_is_answered(console: Client, people: Table, content: bytes) -> None:
    address = f"/admin/tables/table/{people.pk}/import/"
    answer = console.post(address, {"file": SimpleUploadedFile("a.csv", content)})
    assert answer.status_code in (200, 302)
    if answer.status_code == 302:
        look = answer.headers["Location"]
        assert console.get(look).status_code in (200, 302)
        odd = {"delimiter": "xx", "encoding": "none", "column-0": "nothing", "key": "name"}
        assert console.post(look, odd).status_code in (200, 302)
    assert console.get(f"{address}{'0' * 32}/").status_code == 302
    assert names(people) == []


def test_what_the_filters_leave_is_exported(console: Client, people: Table) -> None:
    Store(load_schema(people.workspace_id)).add_many(
        "people", [{"name": "=Ann", "age": 1}, {"name": "Bob", "age": 2}]
    )
    base = f"/admin/tables/table/{people.pk}/export/"
    filters = json.dumps([["age", "equals", "1"]])
    made = console.get(base, {"filters": filters, "guard": "1"})
    lines = b"".join(made.streaming_content).decode().splitlines()
    assert len(lines) == 2
    assert "'=Ann" in lines[1]
    assert len(b"".join(console.get(base).streaming_content).decode().splitlines()) == 3
    assert console.get(base, {"filters": '[["age","equals","x"]]'}).status_code == 302


def test_a_finished_import_links_the_rows_it_refused(console: Client, people: Table) -> None:
    address = upload(console, people, b"name,age\nAnn,41\nBob,old\n")
    page = console.post(address, {"do": "import"}).headers["Location"]
    going = console.get(page).content.decode()
    assert "data-run-progress" in going
    assert "Download the refused rows" not in going
    for place in ("records", "import", "change"):
        assert (
            "data-run-progress" in console.get(f"/admin/tables/table/{people.pk}/{place}/").content.decode()
        )
    work(Run.objects.get().pk)
    done = console.get(page).content.decode()
    assert "1 row did not fit" in done
    assert f"/admin/tables/table/{people.pk}/imported/{Run.objects.get().pk}/rejects/" in done
    assert (
        "data-run-progress" not in console.get(f"/admin/tables/table/{people.pk}/records/").content.decode()
    )


def sheet(text: str) -> dict[str, str]:
    """The fields of a page's rows, as a browser would send them."""
    found = dict(re.findall(r'name="(fields-[\w-]+)"[^>]*? value="([^"]*)"', text))
    for name, options in re.findall(r'<select name="(fields-[\w-]+)".*?>(.*?)</select>', text, re.DOTALL):
        found[name] = re.findall(r'<option value="([^"]*)" selected', options)[0]
    for name, inner in re.findall(
        r'<textarea name="(fields-[\w-]+)"[^>]*>\s*(.*?)</textarea>', text, re.DOTALL
    ):
        found[name] = html.unescape(inner)
    for name in re.findall(r'type="checkbox" name="(fields-[\w-]+)"(?! [^>]*checked)', text):
        found.pop(name, None)
    return {name: value for name, value in found.items() if "__prefix__" not in name}


def test_a_table_is_made_from_a_sheet_with_its_rows(console: Client) -> None:
    shop = factories.make_workspace()
    rows = b"Name,Age,Price\nAnn,41,1.50\nBob,7,2.25\n"
    given = {"workspace": shop.pk, "file": SimpleUploadedFile("Price list.csv", rows)}
    look = console.post("/admin/tables/table/csv/add/", given).headers["Location"]
    text = console.get(look).content.decode()
    assert 'value="price_list"' in text
    assert "1.50" in text
    sent = sheet(text)
    assert [sent[f"fields-{n}-type"] for n in range(3)] == ["text", "int", "decimal"]
    assert not Table.objects.exists()
    sent |= {"workspace": str(shop.pk), "name": "people", "fields-1-name": ""}
    refused = console.post(look, {**sent, "name": "no name"}).content.decode()
    assert "errorlist" in refused
    assert not Table.objects.exists()
    run_page = console.post(look, sent).headers["Location"]
    work(Run.objects.get().pk)
    assert "Succeeded" in console.get(run_page).content.decode()
    made = Table.objects.get()
    assert names(made) == ["Ann", "Bob"]
    assert [field.name for field in made.fields.order_by("id")] == ["name", "price"]


def test_a_table_begins_with_a_template(console: Client) -> None:
    shop = factories.make_workspace()
    for name in ("orders", "customers", "posts", "products", "tasks", "orders2"):
        text = console.get(f"/admin/tables/table/add/?template={name.rstrip('2')}").content.decode()
        sent = {**sheet(text), "workspace": str(shop.pk), "name": name}
        answer = console.post("/admin/tables/table/add/", sent)
        assert answer.status_code == 302, answer.content.decode()
    schema = load_schema(shop.pk)
    assert "customer" not in schema.table("orders").fields
    assert schema.table("orders2").fields["customer"].is_reference
    assert schema.table("posts").fields["status"].default == "draft"
