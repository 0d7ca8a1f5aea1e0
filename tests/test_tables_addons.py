"""Related records, one statement a level."""

from __future__ import annotations

from typing import Any

import pytest

from stackyard.core.errors import Problem
from stackyard.tables import changes
from stackyard.tables.query import Query
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db(databases=["default", "history"])


def problem_of(store: Store, query: Query, values: Any = ()) -> Problem:
    with pytest.raises(Problem) as caught:
        store.query(query, values)
    return caught.value


def make_orders() -> Store:
    """Customers of companies, their orders and the orders' lines."""
    workspace = make_workspace()
    reference = {"type": "reference"}
    changes.create_table(workspace, "companies", fields={"name": "text"})
    changes.create_table(
        workspace, "customers", fields={"name": "text", "company": {**reference, "table": "companies"}}
    )
    changes.create_table(
        workspace, "orders", fields={"customer": {**reference, "table": "customers"}, "total": "decimal"}
    )
    changes.create_table(
        workspace, "lines", fields={"order": {**reference, "table": "orders"}, "product": "text"}
    )
    store = Store(load_schema(workspace.pk))
    store.add("companies", {"name": "Acme"})
    store.add_many("customers", [{"name": f"c{n}", "company": 1 if n % 2 else None} for n in range(4)])
    store.add_many("orders", [{"customer": 1 + n % 2, "total": n} for n in range(6)])
    store.add_many("lines", [{"order": 1 + n % 3, "product": f"p{n}"} for n in range(9)])
    return store


def test_addons_take_one_statement_a_level() -> None:
    store = make_orders()
    heard: list[str] = []
    store.on_query = lambda sql, seconds, rows: heard.append(sql)
    lines = {"table": "lines", "match": {"order": "id"}, "fields": ["product"], "sort": "-product"}
    orders = {
        "table": "orders",
        "match": {"customer": "id"},
        "sort": "-total",
        "fields": ["total"],
        "addons": [lines],
    }
    company = {
        "table": "companies",
        "match": {"id": "company"},
        "as": "works_at",
        "return": "single",
        "fields": ["name"],
    }
    page = store.query(Query("customers", page=1, fields=["name"], addons=[orders, company]))
    assert len(heard) == 4
    first, second, third, _ = page["items"]
    assert [order["total"] for order in first["orders"]] == [4, 2, 0]
    assert first["orders"][1]["lines"] == [{"product": "p8"}, {"product": "p5"}, {"product": "p2"}]
    assert (first["works_at"], second["works_at"]) == (None, {"name": "Acme"})
    assert (third["orders"], set(third)) == ([], {"name", "orders", "works_at"})
    deep = {
        **orders,
        "addons": [{**lines, "addons": [{"table": "orders", "match": {"id": "order"}, "return": "single"}]}],
    }
    heard.clear()
    store.query(Query("customers", page=1, addons=[deep]))
    assert len(heard) == 4


def test_addons_count_and_tell_the_first() -> None:
    store = make_orders()
    base = {"table": "orders", "match": {"customer": "id"}}
    addons = [
        {**base, "as": "how_many", "return": "count"},
        {**base, "as": "any", "return": "exists"},
        {**base, "as": "largest", "return": "single", "sort": "-total", "fields": ["total"]},
    ]
    found = store.query(Query("customers", addons=addons))
    assert [(r["how_many"], r["any"], r["largest"]) for r in found] == [
        (3, True, {"total": 4}),
        (3, True, {"total": 5}),
        (0, False, None),
        (0, False, None),
    ]


def test_an_addon_may_match_by_several_fields() -> None:
    store = make_orders()
    addon = {
        "table": "orders",
        "match": {"customer": "customer", "total": "total"},
        "as": "same",
        "fields": ["id"],
    }
    found = store.query(Query("orders", addons=[addon]))
    assert [r["same"] for r in found] == [[{"id": r["id"]}] for r in found]


def test_an_addon_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_orders()
    store.add_many("orders", [{"customer": 1}] * 9_995)
    found = problem_of(store, Query("customers", addons=[{"table": "orders", "match": {"customer": "id"}}]))
    assert found.code == "RESULT_TOO_LARGE"
