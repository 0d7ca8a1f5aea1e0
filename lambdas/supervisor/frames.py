"""Frames over a slot's pipes: four bytes length, one byte kind, four bytes the run's token, then the payload.

The other end is not trusted. A frame's length is checked before anything of it is read, what waits to be
handled is bounded, and while this end writes it keeps reading, so that two full pipes never wait for each other.
"""

from __future__ import annotations

import os
import select
import struct
import time
from dataclasses import dataclass

READY, RUN, LOG, RPC, RES, DONE, COMPILE = range(1, 8)

_HEADER = struct.Struct(">IBI")
_BLOCK = 262_144
_KEPT_OF_STDERR = 8_192
_MOST_ON_STDERR = 4_000_000


class BadFrame(Exception):
    """The process broke the protocol: the text says how."""


class Ended(Exception):
    """The process has closed its end: it is dead or dying."""


class Late(Exception):
    """The deadline came first."""


class Called(Exception):
    """Somebody rang the bell that the channel listens to."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message from the process."""

    kind: int
    token: int
    payload: bytes


class Channel:
    """This end of a slot's three pipes. Used by one thread at a time.

    `longest` says for each kind of frame how many bytes its payload may have; kinds that are not in it are refused.
    """

    def __init__(self, to: int, out: int, error: int, longest: dict[int, int], most_waiting: int) -> None:
        self._to, self._out, self._error = to, out, error
        self._longest = longest
        self._most_waiting = most_waiting
        self._buffer = bytearray()
        self._poll = select.poll()
        for descriptor in (to, out, error):
            os.set_blocking(descriptor, False)
        self._poll.register(out, select.POLLIN)
        self._poll.register(error, select.POLLIN)
        self._errors = bytearray()
        self._error_bytes = 0
        self.out_ended = False
        self._ear: int | None = None
        self._was_called = False

    @property
    def stderr(self) -> str:
        """The end of what the process wrote to its error stream."""
        return self._errors.decode("utf-8", "replace")

    def send(self, kind: int, token: int, payload: bytes, deadline: float) -> None:
        """Write one frame. Late at `deadline` (monotonic seconds); Ended or BadFrame as `receive`."""
        data = memoryview(_HEADER.pack(len(payload), kind, token) + payload)
        while True:
            try:
                data = data[os.write(self._to, data) :]
            except BlockingIOError:
                pass
            except OSError as error:
                raise Ended from error
            if not data:
                return
            self._poll.register(self._to, select.POLLOUT)
            try:
                self._wait(deadline)
            finally:
                self._poll.unregister(self._to)

    def listen(self, ear: int | None) -> None:
        """From now on `receive` raises Called when something can be read from this pipe; None ends that."""
        if self._ear is not None:
            self._poll.unregister(self._ear)
        if ear is not None:
            self._poll.register(ear, select.POLLIN)
        self._ear, self._was_called = ear, False

    def receive(self, deadline: float) -> Frame:
        """The next frame. Late at `deadline`, Ended at the end of the stream, BadFrame for what is none; Called."""
        while True:
            if self._was_called:
                self._was_called = False
                raise Called
            frame = self._take()
            if frame is not None:
                return frame
            if self.out_ended:
                raise Ended
            self._wait(deadline)

    def is_quiet(self) -> bool:
        """Whether nothing waits to be read and the process has not gone: as it must be between two runs."""
        return not self._buffer and not self.out_ended and not self._poll.poll(0)

    def drain(self) -> None:
        """After the process's end: read what is left of its error stream."""
        try:
            while self._read_errors():
                pass
        except (OSError, BadFrame):
            pass

    def _take(self) -> Frame | None:
        buffer = self._buffer
        if len(buffer) < _HEADER.size:
            return None
        length, kind, token = _HEADER.unpack_from(buffer)
        longest = self._longest.get(kind)
        if longest is None:
            raise BadFrame(f"a frame of kind {kind}")
        if length > longest:
            raise BadFrame(f"a frame of {length:,} bytes where {longest:,} are the most")
        end = _HEADER.size + length
        if len(buffer) < end:
            return None
        payload = bytes(memoryview(buffer)[_HEADER.size : end])
        del buffer[:end]
        return Frame(kind, token, payload)

    def _wait(self, deadline: float) -> None:
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise Late
        for descriptor, events in self._poll.poll(seconds * 1000 + 0.5):
            if descriptor == self._out:
                self._read_output(events)
            elif descriptor == self._error:
                if not self._read_errors():
                    self._poll.unregister(self._error)
            elif descriptor == self._ear:
                os.read(descriptor, 64)
                self._was_called = True
            elif events & (select.POLLERR | select.POLLHUP):
                raise Ended

    def _read_output(self, events: int) -> None:
        try:
            data = os.read(self._out, _BLOCK)
        except BlockingIOError:
            return
        if not data:
            self.out_ended = True
            self._poll.unregister(self._out)
        self._buffer += data
        if len(self._buffer) > self._most_waiting:
            raise BadFrame(f"more than {self._most_waiting:,} bytes that nobody asked for")

    def _read_errors(self) -> bool:
        try:
            data = os.read(self._error, _BLOCK)
        except BlockingIOError:
            return False
        self._errors = (self._errors + data)[-_KEPT_OF_STDERR:]
        self._error_bytes += len(data)
        if self._error_bytes > _MOST_ON_STDERR:
            raise BadFrame(f"more than {_MOST_ON_STDERR:,} bytes on its error stream")
        return bool(data)
