"""What the grid of a table's records asks the server for: rows, changed cells, new records, deletion, look-ups."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from stackyard.tables.changes import create_table
from stackyard.tables.models import Table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def customers(console: Client) -> Table:
    """Customers with fields of many types, and a company to refer to."""
    shop = factories.make_workspace()
    create_table(shop, "companies", fields={"name": "text"})
    made = create_table(
        shop,
        "customers",
        fields={
            "name": {"type": "text", "required": True},
            "email": {"type": "email", "unique": True},
            "age": "int",
            "active": {"type": "bool", "default": True},
            "level": {"type": "enum", "values": ["new", "old"]},
            "seen": "timestamp",
            "meta": "json",
            "company": {"type": "reference", "table": "companies"},
            "secret": "password",
            "place": "geo_point",
        },
    )
    Store(load_schema(shop.pk)).add("companies", {"name": "ACME"})
    return made


class Grid:
    """The grid's addresses of one table."""

    def __init__(self, console: Client, table: Table) -> None:
        self.console, self.base = console, f"/admin/tables/table/{table.pk}/grid/"

    def get(self, what: str, **asked: Any) -> Any:
        return self.console.get(f"{self.base}{what}/?{urlencode(asked)}")

    def rows(self, **asked: Any) -> Any:
        return self.get("rows", **asked).json()

    def post(self, what: str, **body: Any) -> Any:
        return self.console.post(f"{self.base}{what}/", json.dumps(body), content_type="application/json")

    def add(self, **values: Any) -> Any:
        answer = self.post("add", values=values)
        assert answer.status_code == 200, answer.content
        return answer.json()["row"]


@pytest.fixture
def grid(console: Client, customers: Table) -> Grid:
    return Grid(console, customers)


def faults(answer: Any) -> dict[str, str]:
    """Code by cell."""
    return {detail["field"]: detail["code"] for detail in answer.json()["error"]["details"]}


def test_a_row_comes_back_as_the_texts_that_it_is_edited_by(grid: Grid) -> None:
    texts = {
        "name": "Ann",
        "email": "ann@example.com",
        "age": "41",
        "level": "old",
        "seen": "2026-01-23T10:00:00.000Z",
        "meta": '{"a":[1]}',
        "company": "1",
        "secret": "long enough",
        "place": '{"lat":52.5,"lng":13.4}',
    }
    row = grid.add(**texts)
    cells = row["cells"]
    assert cells["active"] == "true"
    assert "secret" not in cells
    again = {name: cells[name] for name in texts if name != "secret"}
    answer = grid.post("change", record=row["id"], before=again, after=again)
    assert answer.status_code == 200, answer.content
    assert answer.json()["row"]["cells"] == cells
    assert grid.rows()["labels"] == {"company": {"1": "ACME"}}
    assert grid.rows()["total"] == 1


def test_all_faults_of_a_new_record_are_told_at_once(grid: Grid) -> None:
    answer = grid.post("add", values={"email": "nobody", "age": "old", "level": "middle", "id": "7"})
    assert answer.status_code == 400
    assert set(faults(answer)) == {"name", "email", "age", "level", "id"}
    assert faults(grid.post("add", values={"name": "Ann", "company": "77"}))
    assert grid.rows()["rows"] == []


def test_what_somebody_else_has_changed_is_not_written_over(grid: Grid) -> None:
    row = grid.add(name="Ann", age="41")
    grid.post("change", record=row["id"], before={"name": "Ann"}, after={"name": "Anne"})
    late = grid.post("change", record=row["id"], before={"name": "Ann"}, after={"name": "Anna"})
    assert late.status_code == 409
    assert faults(late) == {"name": "changed"}
    # Another cell of the same record is nobody else's.
    assert grid.post("change", record=row["id"], before={"age": "41"}, after={"age": ""}).status_code == 200
    (now,) = grid.rows(record=row["id"])["rows"]
    assert (now["cells"]["name"], now["cells"]["age"]) == ("Anne", None)
    assert grid.post("remove", records=[row["id"]]).json() == {"deleted": 1}
    assert grid.post("change", record=row["id"], before={}, after={"name": "x"}).status_code == 404


def test_rows_are_filtered_by_several_conditions_sorted_and_paged_by_cursor(
    grid: Grid, customers: Table
) -> None:
    people = [{"name": f"Person {n:03}", "age": n % 5} for n in range(120)]
    Store(load_schema(customers.workspace_id)).add_many("customers", people)
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = grid.rows(sort="name", cursor=cursor)
        seen += [row["id"] for row in page["rows"]]
        cursor = page["next"]
    assert seen == list(range(1, 121))
    both = json.dumps([["name", "contains", "person 0"], ["age", "equals", "3"], ["email", "empty", ""]])
    found = grid.rows(filters=both, sort="-name")
    assert (found["total"], found["rows"][0]["cells"]["name"]) == (20, "Person 098")


@pytest.mark.parametrize(
    "asked",
    [
        {"filters": "{"},
        {"filters": "[[1,2,3]]"},
        {"filters": '[["nothing","equals","1"]]'},
        {"filters": '[["name","magic","1"]]'},
        {"filters": '[["age","equals","old"]]'},
        {"filters": '[["secret","equals","x"]]'},
        {"filters": "[" * 5000},
        {"sort": "nothing"},
        {"sort": "meta"},
        {"sort": "a,b"},
        {"cursor": "x"},
        {"record": "0"},
        {"record": "1; DROP"},
    ],
)
def test_an_odd_question_is_refused_with_a_reason(grid: Grid, asked: dict[str, str]) -> None:
    answer = grid.get("rows", **asked)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("change", {}),
        ("change", {"record": True, "before": {}, "after": {}}),
        ("change", {"record": 1, "before": {}, "after": {"name": 5}}),
        ("change", {"record": 1, "before": [], "after": {}}),
        ("add", {"values": {"name": "a\0b"}}),
        ("add", {"values": {"name": "Ann", "meta": "{" * 4000}}),
        ("remove", {"records": []}),
        ("remove", {"records": ["x"]}),
        ("remove", {"records": list(range(1, 1002))}),
    ],
)
def test_an_odd_deed_is_refused_with_a_reason(grid: Grid, what: str, body: dict[str, Any]) -> None:
    grid.add(name="Ann")
    assert grid.post(what, **body).status_code == 400
    assert len(grid.rows()["rows"]) == 1


def test_a_long_cell_comes_whole_when_it_is_opened(grid: Grid) -> None:
    row = grid.add(name="x" * 5_000)
    assert row["cut"] == ["name"]
    assert len(row["cells"]["name"]) == 2_000
    assert grid.get("cell", record=row["id"], field="name").json() == {"text": "x" * 5_000}
    assert grid.get("cell", record=row["id"], field="secret").status_code == 400
    assert grid.get("cell", record=99, field="name").status_code == 404


def test_a_reference_is_looked_up_by_label_or_id(grid: Grid, customers: Table) -> None:
    store = Store(load_schema(customers.workspace_id))
    store.add_many("companies", [{"name": f"Firm {n}"} for n in range(40)])
    assert grid.get("targets", field="company", q="acm").json() == {"targets": [{"id": 1, "label": "ACME"}]}
    assert [one["id"] for one in grid.get("targets", field="company", q="41").json()["targets"]] == [41]
    assert len(grid.get("targets", field="company").json()["targets"]) == 20
    assert grid.get("targets", field="name").status_code == 400


def test_a_table_that_is_gone_is_a_problem_and_not_a_page(console: Client) -> None:
    assert console.get("/admin/tables/table/99/grid/rows/").status_code == 404
