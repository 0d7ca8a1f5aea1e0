"""Customers and their orders with a field of each kind, for the tests of queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from stackyard.tables.query import Query
from stackyard.tables.store import Store
from tests.factories import make_store

SHOP: dict[str, Any] = {
    "customers": {
        "name": "text",
        "email": {"type": "email", "unique": True},
        "secret": {"type": "text", "access": "private"},
    },
    "orders": {
        "customer": {"type": "reference", "table": "customers"},
        "status": {"type": "enum", "values": ["open", "paid", "gone"]},
        "total": "decimal",
        "count": "int",
        "weight": "float",
        "at": "timestamp",
        "day": "date",
        "code": "uuid",
        "is_gift": "bool",
        "note": "text",
        "tags": {"type": "list", "of": "text"},
    },
}
NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def shop(orders: list[dict[str, Any]] | None = None) -> Store:
    """Three customers and their orders."""
    store = make_store(**SHOP)
    people = [
        {"name": n, "email": f"{n.lower()}@example.com", "secret": n[::-1]} for n in ("Ann", "Bob", "Cyd")
    ]
    store.add_many("customers", people)
    store.add_many("orders", ORDERS if orders is None else orders)
    return store


ORDERS: list[dict[str, Any]] = [
    {
        "customer": 1,
        "status": "open",
        "total": "10.10",
        "count": 2,
        "weight": 0.1,
        "at": NOON,
        "day": "2026-03-29",
    },
    {
        "customer": 1,
        "status": "paid",
        "total": "0.20",
        "count": 1,
        "weight": 0.2,
        "at": NOON + timedelta(days=4),
    },
    {
        "customer": 2,
        "status": "paid",
        "total": "9999999999999999.99",
        "count": 2**62,
        "weight": 1e308,
        "is_gift": True,
    },
    {
        "customer": 2,
        "status": "paid",
        "total": "9999999999999999.99",
        "count": 2**62,
        "weight": 1e-308,
        "note": "x",
    },
    {"customer": None, "status": None, "total": None, "count": -7, "weight": -1e308, "tags": ["a"]},
    {"customer": 2, "total": "-0.01", "count": 2**62, "day": "0001-01-01", "code": "f" * 32},
]


def ask(store: Store, **parts: Any) -> Any:
    return store.query(Query("orders", **parts))
