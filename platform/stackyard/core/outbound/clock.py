"""The time one request may take in all, and who ends it when it is over."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import TracebackType

from ..limits import OUTBOUND_CONNECT_SECONDS
from .faults import too_late

# Waits end a little early or late; in less time than this nothing could be asked any more.
_LEAST_SECONDS = 0.01


class Switch:
    """Ends a request that nobody waits for any more, from another thread and at once: its connection is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clock: Clock | None = None
        self._is_thrown = False

    def throw(self) -> None:
        """End the request that is under way in `covers`, and any that would follow."""
        with self._lock:
            self._is_thrown = True
            if self._clock is not None:
                self._clock.end()

    @contextmanager
    def covers(self) -> Iterator[None]:
        """Requests of this thread can be ended by this switch until the block ends."""
        token = _switch.set(self)
        try:
            yield
        finally:
            _switch.reset(token)

    def tied(self, clock: Clock | None) -> None:
        """From now on this clock is the one to end."""
        with self._lock:
            self._clock = clock
            if clock is not None and self._is_thrown:
                clock.end()


_switch: ContextVar[Switch | None] = ContextVar("outbound_switch", default=None)


class Clock:
    """Runs while the `with` block does, `seconds` long; then it shuts the connection, whatever is being waited for.

    Time limits of sockets hold for one read or write each: a server that sends a byte now and then would never meet
    them. A duplicate of the socket is kept, because TLS takes the first one over.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.is_over = False
        self._ends_at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self.end)
        self._timer.daemon = True
        self._switch = _switch.get()

    def __enter__(self) -> Clock:
        self._timer.start()
        if self._switch is not None:
            self._switch.tied(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._switch is not None:
            self._switch.tied(None)
        self._let_go()

    def remains(self) -> float:
        """Seconds left; none or less when the time is over."""
        return self._ends_at - time.monotonic()

    def left(self) -> float:
        """Seconds left. Problem `REQUEST_TIMEOUT` when there are none."""
        left = self.remains()
        if self.is_over or left < _LEAST_SECONDS:
            raise too_late(self.seconds)
        return left

    def left_to_connect(self) -> float:
        """Seconds that finding a host or connecting to it may take."""
        return min(self.left(), OUTBOUND_CONNECT_SECONDS.default)

    def watch(self, connection: socket.socket) -> None:
        """End this connection when the time is over, instead of the one before."""
        self._let_go()
        with self._lock:
            self._socket = connection.dup()
        if self.is_over:
            self.end()

    def _let_go(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def end(self) -> None:
        """The time is over, now: whatever waits for the connection goes on, and finds none."""
        with self._lock:
            self.is_over = True
            # It may have ended by itself.
            with suppress(OSError):
                if self._socket is not None:
                    self._socket.shutdown(socket.SHUT_RDWR)
