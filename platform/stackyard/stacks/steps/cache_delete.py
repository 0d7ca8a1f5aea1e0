"""Take out of the cache."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import cache
from stackyard.core import types as t

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Value
from ..step import Line, Step


def cache_delete(execution: Execution, key: Any) -> bool:
    """Take the value away."""
    return cache.delete(execution.shelf, key)


class CacheDelete(Step):
    """Take a value out of the workspace's cache; the result says whether there was one."""

    name = "cache_delete"
    label = "Delete from cache"
    group = "cache"
    icon = "cache"
    sentence = "Delete {key} from the cache"
    synonyms = "redis cache remove forget clear invalidate"
    goes_out = True
    result_name = "was_cached"
    parameters = (Value("key", "The key: a text of at most 200 characters.", required=True, type=t.TEXT),)
    raises = ("CACHE_UNAVAILABLE",)
    run = staticmethod(cache_delete)
    examples = (
        {
            "lines": [
                {"step": "cache_set", "params": {"key": "draft", "value": 1}},
                {"step": "cache_delete", "as": "first", "params": {"key": "draft"}},
                {"step": "cache_delete", "as": "second", "params": {"key": "draft"}},
            ],
            "response": "[first, second]",
            "is": [True, False],
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """Whether there was one."""
        return t.BOOL
