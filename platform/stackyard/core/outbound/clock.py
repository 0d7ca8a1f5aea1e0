"""The time one request may take in all, and who ends it when it is over."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType

from ..limits import OUTBOUND_CONNECT_SECONDS
from .faults import too_late

# Waits end a little early or late; in less time than this nothing could be asked any more.
_LEAST_SECONDS = 0.01


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
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Clock:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
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
            self._end()

    def _let_go(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            # It may have ended by itself.
            with suppress(OSError):
                if self._socket is not None:
                    self._socket.shutdown(socket.SHUT_RDWR)
