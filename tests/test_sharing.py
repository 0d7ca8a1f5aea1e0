"""Which answers are measured before they are written."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints.sharing import may_share

READ = {
    "step": "get_record",
    "as": "customer",
    "params": {"table": "customers", "value": {"$expr": "input.id"}},
}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"response": {"$expr": "input"}},
        {"lines": [READ], "response": {"$expr": "customer"}},
        {
            "lines": [READ],
            "response": {"a": {"$expr": "$customer.name"}, "b": [1, "x", {"$literal": {"$expr": 1}}]},
        },
        {"lines": [READ, {"step": "set_status", "params": {"status": 201}}], "response": None},
    ],
)
def test_fresh_records_are_not_measured(document: dict[str, Any]) -> None:
    assert not may_share(document)


@pytest.mark.parametrize(
    "document",
    [
        {"response": {"$expr": "[input, input]"}},
        {"response": {"$expr": "input.list | map(x => input)"}},
        {"response": [{"$expr": "input"}] * 21},
        {"lines": [{"step": "set_variable", "params": {}}]},
        {"lines": [{"step": "for_each", "params": {}}]},
        {"lines": [{"step": "call_function", "params": {}}]},
        {"lines": [{**READ, "params": {"addons": [{}]}}]},
    ],
)
def test_whatever_can_repeat_a_value_is_measured(document: dict[str, Any]) -> None:
    assert may_share(document)
