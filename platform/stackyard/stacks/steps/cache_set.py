"""Put into the cache."""

from __future__ import annotations

from typing import Any

from stackyard.core import cache
from stackyard.core import types as t
from stackyard.core.limits import CACHE_SECONDS

from ..execution import Execution
from ..parameters import Value
from ..step import Step


def cache_set(execution: Execution, key: Any, value: Any, ttl: Any) -> None:
    """Keep the value."""
    cache.set(execution.shelf, key, value, ttl)


class CacheSet(Step):
    """Keep a value in the workspace's cache, for every endpoint, function and lambda of it to read. It goes through JSON: a
    timestamp comes back as text. Neither a transaction nor Run & Debug takes it back.
    """

    name = "cache_set"
    label = "Set in cache"
    group = "cache"
    icon = "cache"
    sentence = "Keep {value} as {key} for {ttl} seconds"
    synonyms = "redis cache write store remember memo"
    goes_out = True
    gives_result = False
    parameters = (
        Value("key", "The key: a text of at most 200 characters.", required=True, type=t.TEXT),
        Value("value", "What to keep: anything, at most 1 MB.", required=True),
        Value("ttl", "Seconds until it ends, at most 30 days.", default=CACHE_SECONDS.default, type=t.NUMBER),
    )
    raises = ("CACHE_UNAVAILABLE",)
    run = staticmethod(cache_set)
    examples = (
        {
            "lines": [
                {"step": "cache_set", "params": {"key": "greeting", "value": "Hello", "ttl": 60}},
                {"step": "cache_get", "as": "greeting", "params": {"key": "greeting"}},
            ],
            "response": "greeting",
            "is": "Hello",
        },
    )
