"""Calls that take long and touch no database: answered on threads of their own, while the conversation goes on."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from functools import partial

from stackyard.core import tracing
from stackyard.core.outbound import Switch

from .frames import Channel

MOST_AT_ONCE = 8


class Errands:
    """The errands of one run. Its channel raises `Called` whenever one is done; `done` then has the answers."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._done: deque[bytes | BaseException] = deque()
        self._under_way: dict[int, Switch] = {}
        self._is_over = False
        self._ear, self._bell = os.pipe()
        channel.listen(self._ear)

    def begin(self, number: int, work: Callable[[], bytes]) -> bool:
        """Have the call of this number done; False when as many as may be are under way, or it is one of them."""
        switch = Switch()
        with self._lock:
            if len(self._under_way) >= MOST_AT_ONCE or number in self._under_way:
                return False
            self._under_way[number] = switch
        arguments = (number, switch, work)
        do: Callable[..., None] = self._do
        if tracing.active is not None:
            # The span around the run is known to its own thread only.
            do = partial(copy_context().run, do)
        threading.Thread(target=do, args=arguments, name="lambda-errand", daemon=True).start()
        return True

    def call_off(self, number: int) -> None:
        """Nobody waits for this call any more: its connection is closed. What is no call under way is none."""
        with self._lock:
            switch = self._under_way.get(number)
        if switch is not None:
            switch.throw()

    def _do(self, number: int, switch: Switch, work: Callable[[], bytes]) -> None:
        answer: bytes | BaseException
        try:
            with switch.covers():
                answer = work()
        except BaseException as error:
            answer = error
        with self._lock:
            del self._under_way[number]
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
        """The run is over: the connections of what is still under way are closed, and nobody hears of it."""
        self._channel.listen(None)
        with self._lock:
            self._is_over = True
            os.close(self._ear)
            os.close(self._bell)
            left = list(self._under_way.values())
        for switch in left:
            switch.throw()
