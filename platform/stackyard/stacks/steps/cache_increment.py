"""Count in the cache."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import cache
from stackyard.core import types as t
from stackyard.core.limits import CACHE_SECONDS

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Value
from ..step import Line, Step


def cache_increment(execution: Execution, key: Any, by: Any, ttl: Any) -> int:
    """Add, and give the sum."""
    return cache.increment(execution.shelf, key, by, ttl)


class CacheIncrement(Step):
    """Add to a whole number in the workspace's cache and give the sum, in one step that no other call can come between.
    Without a value it begins at 0; its time runs from then on.
    """

    name = "cache_increment"
    label = "Count in cache"
    group = "cache"
    icon = "cache"
    sentence = "Add {by} to {key} in the cache"
    synonyms = "redis cache counter incr increment decrement atomic"
    goes_out = True
    result_name = "count"
    parameters = (
        Value("key", "The key: a text of at most 200 characters.", required=True, type=t.TEXT),
        Value("by", "What to add; a negative number takes away.", default=1, type=t.INT),
        Value(
            "ttl",
            "Seconds until a new count ends, at most 30 days.",
            default=CACHE_SECONDS.default,
            type=t.NUMBER,
        ),
    )
    raises = ("CACHE_UNAVAILABLE",)
    run = staticmethod(cache_increment)
    examples = (
        {
            "lines": [
                {"step": "cache_delete", "params": {"key": "visits"}},
                {"step": "cache_increment", "params": {"key": "visits", "by": 2}},
                {"step": "cache_increment", "as": "visits", "params": {"key": "visits"}},
            ],
            "response": "visits",
            "is": 3,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """A whole number."""
        return t.INT
