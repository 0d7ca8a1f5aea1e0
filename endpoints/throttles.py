"""How often an endpoint may be called: a sliding window per endpoint, in memory or shared through Redis.

The window is counted as the `limits` library does (sliding window counter: the last window's count, weighted
by how much of it is still in view, plus this one's). Redis goes through that library; in memory the same
formula stands here, because the library's own memory storage takes 10 µs a call and starts a thread every
10 ms, this 1 µs. Without Redis, or while it is away, each web process allows its share, so the endpoint's
limit holds: never open, never closed.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import Any

from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

_log = logging.getLogger(__name__)
_REDIS_SECONDS = 0.05
_AWAY_SECONDS = 1.0
_LOG_SECONDS = 60.0


class Window:
    """The calls of one endpoint in this process."""

    __slots__ = ("_count", "_last_count", "_lock", "_number", "refused")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._count = 0
        self._last_count = 0
        self.refused = 0

    def take(self, calls: int, seconds: int, now: float) -> bool:
        """Whether one more call fits into `calls` per `seconds` at the monotonic time `now`."""
        place = now / seconds
        number = int(place)
        with self._lock:
            if number != self._number:
                self._last_count = self._count if number == self._number + 1 else 0
                self._count, self._number = 0, number
            in_view = self._last_count * (1.0 - (place - number)) + self._count
            if int(in_view) + 1 > calls:
                return False
            self._count += 1
            return True


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


_windows: dict[int, Window] = {}
_shared: SharedLimit | None = None


def _shared_limit() -> SharedLimit | None:
    global _shared
    if not settings.REDIS_URL:
        return None
    if _shared is None:
        _shared = SharedLimit(settings.REDIS_URL)
    return _shared


class Throttle:
    """The limit of one published endpoint. The count itself outlives a publication."""

    __slots__ = ("_calls", "_item", "_key", "_seconds", "_shared", "_window", "headers", "per_second")

    def __init__(self, endpoint_id: int, per_second: int) -> None:
        self.per_second = per_second
        self._window = _windows.setdefault(endpoint_id, Window())
        self._key = str(endpoint_id)
        self._item = RateLimitItemPerSecond(per_second, namespace="stackyard-calls")
        self._shared = _shared_limit()
        # This process's share; under one call per second and process, one call in several seconds.
        processes = max(1, settings.WEB_PROCESSES)
        self._calls = max(1, per_second // processes)
        self._seconds = 1 if per_second >= processes else math.ceil(processes / per_second)
        self.headers: list[tuple[str, str]] = [
            ("Retry-After", str(self._seconds)),
            # draft-ietf-httpapi-ratelimit-headers-11
            ("RateLimit-Policy", f'"default";q={per_second};w=1'),
            ("RateLimit", f'"default";r=0;t={self._seconds}'),
        ]

    def takes(self) -> bool:
        """Count one call; False when it is one too many."""
        allowed: bool | None = None
        if self._shared is not None:
            allowed = self._shared.take(self._item, self._key)
        if allowed is None:
            allowed = self._window.take(self._calls, self._seconds, time.monotonic())
        if not allowed:
            self._window.refused += 1
        return allowed

    @property
    def refused(self) -> int:
        """How many calls this process has turned away; they are counted, not kept in the history."""
        return self._window.refused


def forget_all() -> None:
    """Begin to count anew, and look at the settings again (a process that has just forked, a test)."""
    global _shared
    _shared = None
    _windows.clear()


def usage() -> dict[int, Any]:
    """Refused calls by endpoint id, for metrics."""
    return {endpoint_id: window.refused for endpoint_id, window in _windows.items() if window.refused}
