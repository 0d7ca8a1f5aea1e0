"""A stack of ten lines with a loop over 100 records against the same as a plain Python function.

Run as `python -m benchmarks.loop` in an installation of its own: prints microseconds of processor time
a run, as JSON, ours and Python's in rounds that take turns. What is measured is the compiled stack
alone: making the run's context is part of a request, not of the stack.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from typing import Any

import django

EXPRESSION = "$expr"
ROUNDS = 15
RUNS = 200


def make_orders() -> list[dict[str, Any]]:
    """A hundred records, as a table would give them."""
    chance = random.Random(11)
    return [
        {
            "id": number,
            "status": chance.choice(["open", "paid", "sent"]),
            "total": chance.randrange(20_000) / 100,
            "customer": {"id": chance.randrange(50), "country": chance.choice(["DE", "FR", "US"])},
        }
        for number in range(100)
    ]


def expression(text: str) -> dict[str, str]:
    """An expression in a document."""
    return {EXPRESSION: text}


def set_line(name: str, value: Any) -> dict[str, Any]:
    """A line that sets a variable."""
    return {"step": "set_variable", "params": {"name": name, "value": value}}


DOCUMENT = {
    "format": 1,
    "name": "summarize",
    "inputs": {"orders": {"type": "object", "list": True}, "limit": {"type": "float"}},
    "lines": [
        set_line("open_orders", expression('input.orders | filter(o => o.status == "open")')),
        set_line("large", expression("input.orders | filter(o => o.total > input.limit)")),
        set_line("lines", []),
        set_line("sum", 0),
        {
            "step": "for_each",
            "params": {
                "in": expression("input.orders"),
                "item": "order",
                "do": [
                    set_line("gross", expression("order.total * 1.19")),
                    {
                        "step": "condition",
                        "params": {
                            "if": expression('gross > input.limit and order.customer.country == "DE"'),
                            "then": [
                                set_line("lines", expression("lines | push({id: order.id, gross: gross})"))
                            ],
                        },
                    },
                    set_line("sum", expression("sum + gross")),
                ],
            },
        },
        set_line("mean", expression("sum / (input.orders | count)")),
    ],
    "response": {
        "open": expression("open_orders | count"),
        "large": expression("large | count"),
        "lines": expression("lines"),
        "mean": expression("mean"),
    },
}


def summarize(orders: list[dict[str, Any]], limit: float) -> dict[str, Any]:
    """What DOCUMENT says, as one would write it by hand."""
    open_orders = [order for order in orders if order["status"] == "open"]
    large = [order for order in orders if order["total"] > limit]
    lines = []
    total = 0.0
    for order in orders:
        gross = order["total"] * 1.19
        if gross > limit and order["customer"]["country"] == "DE":
            lines.append({"id": order["id"], "gross": gross})
        total += gross
    mean = total / len(orders)
    return {"open": len(open_orders), "large": len(large), "lines": lines, "mean": mean}


def prepare() -> Callable[[dict[str, Any]], Callable[[], Any]]:
    """Publish the stack in an empty installation; gives a run with its own context, ready to be timed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stackyard.settings")
    django.setup()
    from stackyard.core.principal import SYSTEM
    from stackyard.core.workspaces import create_workspace
    from stackyard.stacks.publishing import create_function, publish
    from stackyard.stacks.runner import Execution, load_function
    from stackyard.start.installation import migrate

    migrate()
    workspace = create_workspace("bench")
    function = create_function(workspace, DOCUMENT)
    publish(function)
    plan = load_function(workspace.pk, function.pk)

    def ready(inputs: dict[str, Any]) -> Callable[[], Any]:
        execution = Execution.start(workspace.pk, SYSTEM)
        return lambda: plan.run(execution, inputs)

    return ready


def microseconds(calls: list[Callable[[], Any]]) -> float:
    """Processor time a call."""
    began = time.process_time()
    for call in calls:
        call()
    return (time.process_time() - began) / len(calls) * 1e6


def main() -> dict[str, list[float]]:
    """Measure; rounds take turns. ValueError when the two answers differ."""
    ready, orders = prepare(), make_orders()
    inputs = {"orders": orders, "limit": 100.0}
    if ready(inputs)() != summarize(orders, 100.0):
        raise ValueError(f"different answers: {ready(inputs)()} and {summarize(orders, 100.0)}")
    found: dict[str, list[float]] = {"ours": [], "python": []}
    for number in range(ROUNDS + 1):
        ours = microseconds([ready(inputs) for _ in range(RUNS)])
        python = microseconds([lambda: summarize(orders, 100.0)] * RUNS)
        if number:
            found["ours"].append(ours)
            found["python"].append(python)
    return found


if __name__ == "__main__":
    print(json.dumps(main()))
