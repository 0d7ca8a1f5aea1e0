"""Adding to a number, and clearing a table: by one statement, within the field's limits, with everybody told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from stackyard.core.errors import Problem
from stackyard.tables import watching
from stackyard.tables.query import Query
from stackyard.tables.store import Store
from tests.factories import make_store

pytestmark = pytest.mark.django_db(databases=["default", "history"])

FIELDS: dict[str, Any] = {
    "n": "int",
    "few": {"type": "int", "min": 0, "max": 10},
    "price": "decimal",
    "tight": {"type": "decimal", "precision": 4, "scale": 2, "max": 50},
    "weight": "float",
    "name": {"type": "text", "unique": True},
}
INT_MOST = 2**63 - 1


def counters(**record: Any) -> Store:
    store = make_store(counters=FIELDS)
    store.add("counters", record)
    return store


@pytest.mark.parametrize(
    ("field", "held", "by", "after"),
    [
        ("n", None, 1, 1),
        ("n", 5, -7, -2),
        ("n", INT_MOST - 1, 1, INT_MOST),
        ("n", INT_MOST, 1, None),
        ("n", -INT_MOST - 1, INT_MOST, -1),
        ("n", -INT_MOST - 1, -INT_MOST - 1, None),
        ("n", 1, -INT_MOST - 1, -INT_MOST),
        ("few", 9, 1, 10),
        ("few", 10, 1, None),
        ("few", 0, -1, None),
        ("few", 3, 100, None),
        ("price", "0.10", "0.20", Decimal("0.30")),
        ("price", None, "-0.01", Decimal("-0.01")),
        ("price", "9999999999999999.99", "0.01", None),
        ("tight", "49.99", "0.01", Decimal("50.00")),
        ("tight", "49.99", "0.02", None),
        ("weight", 0.5, 0.25, 0.75),
        ("weight", 1.7e308, 1.7e308, None),
        ("weight", -1e308, 1.5e308, 5e307),
    ],
)
def test_a_number_grows_within_its_limits(field: str, held: Any, by: Any, after: Any) -> None:
    store = counters(**{field: held})
    if after is not None:
        assert store.increment("counters", 1, field, by)[field] == after
        return
    with pytest.raises(Problem) as caught:
        store.increment("counters", 1, field, by)
    assert (caught.value.code, caught.value.details[0].field) == ("INVALID_INPUT", "by")


@pytest.mark.parametrize(
    ("value", "field", "by", "code"),
    [
        (1, "name", 1, "INVALID_INPUT"),
        (1, "id", 1, "INVALID_INPUT"),
        (1, "nmae", 1, "INVALID_INPUT"),
        (1, "n", "x", "INVALID_INPUT"),
        (1, "n", 0.5, "INVALID_INPUT"),
        (1, "price", "0.001", "INVALID_INPUT"),
        (1, "n", None, "INVALID_INPUT"),
        (2, "n", 1, "NOT_FOUND"),
        (None, "n", 1, "NOT_FOUND"),
    ],
)
def test_what_cannot_be_added(value: Any, field: str, by: Any, code: str) -> None:
    with pytest.raises(Problem) as caught:
        counters().increment("counters", value, field, by)
    assert caught.value.code == code


class Ear:
    """Hears of everything."""

    def __init__(self, table: int) -> None:
        self.table = table
        self.heard: list[tuple[str, Any, Any]] = []

    def watches(self, workspace_id: int) -> frozenset[int]:
        return frozenset({self.table})

    def changed(self, workspace_id: int, table: Any, action: str, old: Any, new: Any) -> None:
        self.heard.append((action, old and old["n"], new and new["n"]))


def test_listeners_hear_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    store = counters(n=1, name="a")
    ear = Ear(store.schema.table("counters").id)
    monkeypatch.setattr(watching, "_listeners", [ear])
    store.increment("counters", "a", "n", 2, key="name")
    assert store.clear("counters") == 1
    assert ear.heard == [("edit", 1, 3), ("delete", 3, None)]


def test_a_cleared_table_is_empty_and_counts_on() -> None:
    store = make_store(
        people={"boss": {"type": "reference", "table": "people", "on_delete": "restrict"}},
        notes={"of": {"type": "reference", "table": "people", "on_delete": "cascade"}},
        badges={"of": {"type": "reference", "table": "people"}},
    )
    store.add_many("people", [{}] * 2_500)
    store.patch_many("people", [{"id": n, "boss": 2_501 - n} for n in range(1, 2_501)])
    store.add_many("notes", [{"of": n} for n in (1, 2, 2_500)])
    store.add("badges", {"of": 1})
    assert store.clear("people") == 2_500
    counts = [store.query(Query(table, return_="count")) for table in ("people", "notes", "badges")]
    assert counts == [0, 0, 1]
    assert store.get("badges", 1)["of"] is None  # type: ignore[index]
    assert store.clear("badges") == 1
    assert store.add("people", {})["id"] == 2_501


def test_a_table_that_is_held_is_not_cleared() -> None:
    store = make_store(
        people={"n": "int"}, notes={"of": {"type": "reference", "table": "people", "on_delete": "restrict"}}
    )
    store.add_many("people", [{}, {}])
    store.add_many("notes", [{"of": 2}, {"of": 2}])
    with pytest.raises(Problem, match=r"2 records of notes refer to it by of") as caught:
        store.clear("people")
    assert (caught.value.code, caught.value.status) == ("CONFLICT", 409)
    assert store.query(Query("people", return_="count")) == 2
