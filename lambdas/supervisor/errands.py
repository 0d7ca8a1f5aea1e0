"""Calls that take long and touch no database: answered on threads of their own, while the conversation goes on."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable

from .frames import Channel

MOST_AT_ONCE = 8


class Errands:
    """The errands of one run. Its channel raises `Called` whenever one is done; `done` then has the answers."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._done: deque[bytes | BaseException] = deque()
        self._under_way = 0
        self._is_over = False
        self._ear, self._bell = os.pipe()
        channel.listen(self._ear)

    def begin(self, work: Callable[[], bytes]) -> bool:
        """Have this done; False when as many as may be are under way."""
        with self._lock:
            if self._under_way >= MOST_AT_ONCE:
                return False
            self._under_way += 1
        threading.Thread(target=self._do, args=(work,), name="lambda-errand", daemon=True).start()
        return True

    def _do(self, work: Callable[[], bytes]) -> None:
        answer: bytes | BaseException
        try:
            answer = work()
        except BaseException as error:
            answer = error
        with self._lock:
            self._under_way -= 1
            # The run may be over: nobody waits for this any more, and the pipe's number may be another file's.
            if not self._is_over:
                self._done.append(answer)
                os.write(self._bell, b"!")

    def done(self) -> list[bytes]:
        """The answers since the last time. Raises what the work raised."""
        answers = []
        while self._done:
            answer = self._done.popleft()
            if isinstance(answer, BaseException):
                raise answer
            answers.append(answer)
        return answers

    def close(self) -> None:
        """The run is over: what is still under way is left to its own time limit, and forgotten."""
        self._channel.listen(None)
        with self._lock:
            self._is_over = True
            os.close(self._ear)
            os.close(self._bell)
