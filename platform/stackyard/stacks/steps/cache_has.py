"""Look into the cache."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import cache
from stackyard.core import types as t

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Value
from ..step import Line, Step


def cache_has(execution: Execution, key: Any) -> bool:
    """Whether there is a value."""
    return cache.has(execution.shelf, key)


class CacheHas(Step):
    """Say whether the workspace's cache holds a value under a key; a value that is null counts too."""

    name = "cache_has"
    label = "Is in cache"
    group = "cache"
    icon = "cache"
    sentence = "Is {key} in the cache"
    synonyms = "redis cache exists contains"
    result_name = "is_cached"
    parameters = (Value("key", "The key: a text of at most 200 characters.", required=True, type=t.TEXT),)
    raises = ("CACHE_UNAVAILABLE",)
    run = staticmethod(cache_has)
    examples = (
        {
            "lines": [
                {"step": "cache_set", "params": {"key": "answer", "value": None}},
                {"step": "cache_has", "as": "found", "params": {"key": "answer"}},
            ],
            "response": "found",
            "is": True,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """True or false."""
        return t.BOOL
