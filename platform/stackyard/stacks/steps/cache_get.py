"""Read from the cache."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import cache
from stackyard.core import types as t

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Value
from ..step import Line, Step


def cache_get(execution: Execution, key: Any) -> Any:
    """The value, or null."""
    return cache.get(execution.shelf, key)


class CacheGet(Step):
    """Read a value from the workspace's cache; null when there is none, or when its time is over."""

    name = "cache_get"
    label = "Get from cache"
    group = "cache"
    icon = "cache"
    sentence = "Get {key} from the cache"
    synonyms = "redis cache read remember memo"
    result_name = "cached"
    parameters = (Value("key", "The key: a text of at most 200 characters.", required=True, type=t.TEXT),)
    raises = ("CACHE_UNAVAILABLE",)
    run = staticmethod(cache_get)
    examples = (
        {
            "lines": [
                {"step": "cache_set", "params": {"key": "rates", "value": {"eur": 1.08}, "ttl": 60}},
                {"step": "cache_get", "as": "rates", "params": {"key": "rates"}},
                {"step": "cache_get", "as": "nothing", "params": {"key": "never set"}},
            ],
            "response": "[rates.eur, nothing]",
            "is": [1.08, None],
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """Anything."""
        return t.ANY
