"""The cache of each workspace: JSON values by key that end by themselves, seen by every process of the installation.

Kept in Redis when `REDIS_URL` is set, else in a file of the home (docs/decisions/cache.md says why not in memory). It is a
cache: what is in it may go at any time, and neither a transaction nor Run & Debug takes back what was put into it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from .cache_stores import FileStore, NotANumber, RedisStore, Store
from .errors import Problem
from .expressions.operations import INT_MAX, INT_MIN, is_number, kind_of
from .jsonout import encode, measure
from .limits import CACHE_KEY_CHARACTERS, CACHE_SECONDS, CACHE_VALUE_BYTES


@lru_cache(maxsize=4)
def _open(url: str, home: Path) -> Store:
    return RedisStore(url) if url else FileStore(home / "cache.sqlite3")


def _store() -> Store:
    return _open(settings.REDIS_URL, settings.HOME)


def get(workspace_id: int, key: Any) -> Any:
    """The value, or null. Timestamps come back as texts, decimals as numbers: it went through JSON."""
    raw = _store().get(workspace_id, _key(key))
    return raw if raw is None or isinstance(raw, int) else orjson.loads(raw)


def has(workspace_id: int, key: Any) -> bool:
    """Whether there is a value, null included."""
    return _store().get(workspace_id, _key(key)) is not None


def set(workspace_id: int, key: Any, value: Any, ttl: Any = CACHE_SECONDS.default) -> None:
    """Keep a value for `ttl` seconds."""
    name, seconds = _key(key), _seconds(ttl)
    if value.__class__ is int and INT_MIN <= value <= INT_MAX:
        _store().set(workspace_id, name, value, seconds)
        return
    raw = encode(value) if measure(value) <= CACHE_VALUE_BYTES.default else None
    if raw is None or len(raw) > CACHE_VALUE_BYTES.default:
        raise _invalid(f"A value in the cache has at most {CACHE_VALUE_BYTES.default:,} bytes as JSON.")
    _store().set(workspace_id, name, raw, seconds)


def delete(workspace_id: int, key: Any) -> bool:
    """Take a value away; whether there was one."""
    return _store().delete(workspace_id, _key(key))


def increment(workspace_id: int, key: Any, by: Any = 1, ttl: Any = CACHE_SECONDS.default) -> int:
    """Add to a whole number and give the sum, in one step that no other caller can come between.

    Without a value it begins at 0 and is kept for `ttl` seconds from then on. Problem `CACHE_INVALID` when the value is
    something else than a whole number.
    """
    if by.__class__ is not int or not INT_MIN <= by <= INT_MAX:
        raise _invalid(f'"by" is a whole number, not {kind_of(by)}.')
    try:
        return _store().increment(workspace_id, _key(key), by, _seconds(ttl))
    except NotANumber:
        raise _invalid(
            f'The cache holds no whole number under "{key}", or the sum goes past 64 bits.'
        ) from None


def _invalid(message: str) -> Problem:
    return Problem("CACHE_INVALID", message)


def _key(key: Any) -> str:
    most = CACHE_KEY_CHARACTERS.default
    if not isinstance(key, str) or not 0 < len(key) <= most or "\0" in key:
        raise _invalid(f"A key of the cache is a text of 1 to {most} characters.")
    return key.encode("utf-8", "replace").decode()


def _seconds(ttl: Any) -> float:
    if ttl is None:
        return CACHE_SECONDS.default
    if not is_number(ttl) or not 0 < ttl <= CACHE_SECONDS.maximum:
        raise _invalid(f'"ttl" is a number of seconds, at most {CACHE_SECONDS.maximum:,} (30 days).')
    return float(ttl)
