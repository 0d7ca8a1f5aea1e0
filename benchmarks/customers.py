"""The records of the benchmark: the same ones for both sides, in every run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

CUSTOMERS = 100_000
# Two hundred customers a city: ten pages of twenty.
CITIES = 500
STATUSES = ("new", "active", "gone")


def make_customer(number: int, chance: random.Random) -> dict[str, Any]:
    """One customer by field name; `number` makes the e-mail unique."""
    return {
        "name": f"{chance.choice('ABCDEFGHIJKLMNOPRSTUVW')}{chance.getrandbits(40):x} Customer",
        "email": f"customer{number}@example.com",
        "city": f"City {number % CITIES}",
        "status": STATUSES[number % len(STATUSES)],
        "credit": chance.randrange(1_000_000) / 100,
        "visits": chance.randrange(1000),
        "newsletter": chance.random() < 0.5,
    }


def make_customers(count: int = CUSTOMERS) -> Iterator[dict[str, Any]]:
    """The first `count` customers."""
    chance = random.Random(2025)
    for number in range(count):
        yield make_customer(number, chance)
