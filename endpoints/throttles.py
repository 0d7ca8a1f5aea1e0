"""How often an endpoint may be called: a sliding window per endpoint, in memory or shared through Redis.

The `limits` library counts (sliding window counter: the last window's count, weighted by how much of it is
still in view, plus this one's). Without Redis, or while it is away, each web process allows its share, so the
endpoint's limit holds: never open, never closed. Neither change of hands gives a window away: what Redis lets
through is counted here too, so the share is used up already when Redis goes away; what was let through
meanwhile is owed to Redis and counted there first when it is back.
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
# How long Redis is left alone after a failure; twice as long after each further one.
_AWAY_SECONDS = 1.0
_AWAY_SECONDS_MOST = 8.0
_LOG_SECONDS = 60.0
# A window's calls are owed for this long at most: they weigh nothing two windows later.
_OWED_SECONDS = 4


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
        self._away_seconds = _AWAY_SECONDS
        self._logged_at = -math.inf

    def take(self, item: RateLimitItemPerSecond, key: str, calls: int = 1) -> bool | None:
        """Whether so many more calls fit, in every process; None when Redis does not answer."""
        if time.monotonic() < self._away_until:
            return None
        try:
            allowed = self._strategy.hit(item, key, cost=calls)
        except (RedisError, OSError) as error:
            now = time.monotonic()
            self._away_until = now + self._away_seconds
            self._away_seconds = min(2 * self._away_seconds, _AWAY_SECONDS_MOST)
            if now - self._logged_at > _LOG_SECONDS:
                self._logged_at = now
                _log.warning("Redis is away (%s): calls are limited in each process", error)
            return None
        self._away_seconds = _AWAY_SECONDS
        return allowed


class OwnLimit:
    """What this process has let through, in memory, whoever allowed it."""

    def __init__(self) -> None:
        self._storage = MemoryStorage()
        self._strategy = SlidingWindowCounterRateLimiter(self._storage)

    def take(self, share: RateLimitItemPerSecond, key: str) -> bool:
        """Whether one more call fits into this process's share."""
        return self._strategy.hit(share, key)

    def note(self, share: RateLimitItemPerSecond, key: str) -> None:
        """Count a call that Redis allowed, beyond the share too."""
        seconds = share.get_expiry()
        _, window = self._storage.sliding_window_keys(share.key_for(key), seconds, time.time())
        # As long as the library keeps a window: while it is this one, and while it is the last one.
        self._storage.incr(window, 2 * seconds)

    def owed(self, key: str) -> int:
        """How many calls Redis has not counted yet."""
        return self._storage.get(f"owed/{key}")

    def owe(self, share: RateLimitItemPerSecond, key: str) -> None:
        """One more that Redis has not counted; no more than one window's."""
        if self.owed(key) < share.amount:
            self._storage.incr(f"owed/{key}", _OWED_SECONDS)

    def pay(self, key: str, calls: int) -> None:
        """Redis has counted so many of those owed."""
        self._storage.decr(f"owed/{key}", calls)


_local: OwnLimit | None = None
_shared: SharedLimit | None = None
_refused: dict[int, int] = {}


def _local_limit() -> OwnLimit:
    """This process's own counts. Made in the process that uses them: a thread of the storage does not survive a fork."""
    global _local
    if _local is None:
        _local = OwnLimit()
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
        allowed = self._local.take(self._share, key) if self._shared is None else self._take_shared(key)
        if not allowed:
            _refused[self._endpoint_id] = self.refused + 1
        return allowed

    def _take_shared(self, key: str) -> bool:
        shared, own = self._shared, self._local
        assert shared is not None
        owed = own.owed(key)
        allowed = shared.take(self._item, key, 1 + owed)
        if owed and allowed is not None:
            if allowed:
                own.pay(key, owed)
            elif shared.take(self._item, key):
                # No room for all at once: the room there is goes to what was let through before.
                own.pay(key, 1)
        if allowed is None:
            allowed = own.take(self._share, key)
            if allowed:
                own.owe(self._share, key)
        elif allowed:
            own.note(self._share, key)
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
