"""How often an endpoint may be called: a sliding window per endpoint, in memory or shared through Redis.

The `limits` library counts (sliding window counter: the last window's count, weighted by how much of it is
still in view, plus this one's). Without Redis, or while it is away, each web process allows its share, so the
endpoint's limit holds: never open, never closed.
"""

from __future__ import annotations

import logging
import math
import time
from typing import Any

from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

_log = logging.getLogger(__name__)
_REDIS_SECONDS = 0.05
_AWAY_SECONDS = 1.0
_LOG_SECONDS = 60.0


class SharedLimit:
    """The limits library on Redis, given 50 ms a call; `take` is None while Redis is away."""

    def __init__(self, url: str) -> None:
        storage = RedisStorage(
            url,
            socket_timeout=_REDIS_SECONDS,
            socket_connect_timeout=_REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
        )
        self._strategy = SlidingWindowCounterRateLimiter(storage)
        self._away_until = 0.0
        self._logged_at = -math.inf

    def take(self, item: RateLimitItemPerSecond, key: str) -> bool | None:
        """Whether one more call fits, in every process; None when Redis does not answer."""
        if time.monotonic() < self._away_until:
            return None
        try:
            return self._strategy.hit(item, key)
        except (RedisError, OSError) as error:
            now = time.monotonic()
            self._away_until = now + _AWAY_SECONDS
            if now - self._logged_at > _LOG_SECONDS:
                self._logged_at = now
                _log.warning("Redis is away (%s): calls are limited in each process", error)
            return None


_local: SlidingWindowCounterRateLimiter | None = None
_shared: SharedLimit | None = None
_refused: dict[int, int] = {}


def _local_limit() -> SlidingWindowCounterRateLimiter:
    """This process's own counts. Made in the process that uses them: a thread of the storage does not survive a fork."""
    global _local
    if _local is None:
        _local = SlidingWindowCounterRateLimiter(MemoryStorage())
    return _local


def _shared_limit() -> SharedLimit | None:
    global _shared
    if not settings.REDIS_URL:
        return None
    if _shared is None:
        _shared = SharedLimit(settings.REDIS_URL)
    return _shared


class Throttle:
    """The limit of one published endpoint, or of each caller of it. The count itself outlives a publication."""

    __slots__ = (
        "_endpoint_id",
        "_item",
        "_key",
        "_local",
        "_share",
        "_shared",
        "headers",
        "of_each_caller",
        "per_second",
    )

    def __init__(self, endpoint_id: int, per_second: int, *, of_each_caller: bool = False) -> None:
        self.per_second = per_second
        self.of_each_caller = of_each_caller
        policy = "caller" if of_each_caller else "default"
        self._endpoint_id = endpoint_id
        self._key = str(endpoint_id)
        self._item = RateLimitItemPerSecond(per_second, namespace="stackyard-calls")
        self._shared = _shared_limit()
        self._local = _local_limit()
        # This process's share; under one call per second and process, one call in several seconds.
        processes = max(1, settings.WEB_PROCESSES)
        seconds = 1 if per_second >= processes else math.ceil(processes / per_second)
        self._share = RateLimitItemPerSecond(max(1, per_second // processes), seconds)
        self.headers: list[tuple[str, str]] = [
            ("Retry-After", str(seconds)),
            # draft-ietf-httpapi-ratelimit-headers-11
            ("RateLimit-Policy", f'"{policy}";q={per_second};w=1'),
            ("RateLimit", f'"{policy}";r=0;t={seconds}'),
        ]

    def takes(self, whose: str = "") -> bool:
        """Count one call (of `whose`, where each caller has a limit); False when it is one too many."""
        key = f"{self._key}/{whose}" if whose else self._key
        allowed: bool | None = None
        if self._shared is not None:
            allowed = self._shared.take(self._item, key)
        if allowed is None:
            allowed = self._local.hit(self._share, key)
        if not allowed:
            _refused[self._endpoint_id] = self.refused + 1
        return allowed

    @property
    def refused(self) -> int:
        """How many calls this process has turned away; they are counted, not kept in the history."""
        return _refused.get(self._endpoint_id, 0)


def forget_all() -> None:
    """Begin to count anew, and look at the settings again (a process that has just forked, a test)."""
    global _local, _shared
    _local = _shared = None
    _refused.clear()


def usage() -> dict[int, Any]:
    """Refused calls by endpoint id, for metrics."""
    return dict(_refused)
