"""A load generator: some keep-alive connections, each sending its next request when the answer is there.

Written for this with raw sockets, in place of a program that would have to be installed:
it spends about 15 µs a request, a tenth of what the fastest server here spends, and it reads every
answer, so that an error can never count as speed. It talks to the loopback address only, and is
bounded in time.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

CONNECTIONS = 16
_LONGEST_SECONDS = 60


@dataclass(frozen=True)
class Request:
    """What to send: the bytes of one whole HTTP/1.1 request, and the status to expect."""

    text: bytes
    status: int = 200


def http_request(
    method: str, target: str, headers: Mapping[str, str], body: bytes = b"", status: int = 200
) -> Request:
    """One request for a server on the loopback address."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *(f"{n}: {v}" for n, v in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return Request("\r\n".join(lines).encode() + b"\r\n\r\n" + body, status)


@dataclass
class Result:
    """What a run measured. Times in seconds."""

    seconds: float
    latencies: list[float] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many answers came."""
        return len(self.latencies)

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return self.requests / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that `share` of the answers kept to."""
        return sorted(self.latencies)[min(self.requests - 1, int(self.requests * share))]


class UnexpectedAnswer(Exception):
    """The server answered something else than what is measured."""


class _Connection:
    """One socket with at most one request on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self.body = b""

    def send(self, request: Request) -> None:
        """Send one request; the last one has been answered."""
        self.request = request
        self.sent_at = time.perf_counter()
        self.socket.sendall(request.text)

    def receive(self) -> bool:
        """Take what has come; whether the answer is whole now. UnexpectedAnswer when it is not the right one."""
        piece = self.socket.recv(262_144)
        if not piece:
            raise UnexpectedAnswer("the server closed the connection")
        self._received += piece
        answer = _take_answer(self._received)
        if answer is None:
            return False
        status = int(self._received[9:12])
        if status != self.request.status:
            raise UnexpectedAnswer(f"{status} instead of {self.request.status}: {answer[0][-600:]!r}")
        self.body, self._received = answer
        return True


def _take_answer(received: bytes) -> tuple[bytes, bytes] | None:
    """Body and rest when a whole answer has been received, else None (RFC 9112 §6: length or chunks)."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, start = received[:end].lower(), end + 4
    place = head.find(b"\r\ncontent-length:")
    if place >= 0:
        stop = start + int(head[place + 17 :].split(b"\r\n", 1)[0])
        return (received[start:stop], received[stop:]) if len(received) >= stop else None
    if b"\r\ntransfer-encoding: chunked" not in head:
        raise UnexpectedAnswer(f"an answer without a length: {head!r}")
    return _take_chunks(received, start)


def _take_chunks(received: bytes, start: int) -> tuple[bytes, bytes] | None:
    body = b""
    while True:
        line = received.find(b"\r\n", start)
        if line < 0:
            return None
        size = int(received[start:line], 16)
        stop = line + 2 + size + 2
        if len(received) < stop:
            return None
        if size == 0:
            return body, received[stop:]
        body += received[line + 2 : stop - 2]
        start = stop


def run(port: int, requests: Callable[[], Request], seconds: float, connections: int = CONNECTIONS) -> Result:
    """Send what `requests` makes, as fast as answers come, for `seconds` (at most 60)."""
    waiting = selectors.DefaultSelector()
    open_connections = [_Connection(port) for _ in range(connections)]
    for connection in open_connections:
        waiting.register(connection.socket, selectors.EVENT_READ, connection)
    began = time.perf_counter()
    end = began + min(seconds, _LONGEST_SECONDS)
    latencies: list[float] = []
    for connection in open_connections:
        connection.send(requests())
    while (now := time.perf_counter()) < end:
        for key, _ in waiting.select(end - now):
            connection = key.data
            if connection.receive():
                latencies.append(time.perf_counter() - connection.sent_at)
                connection.send(requests())
    result = Result(time.perf_counter() - began, latencies)
    waiting.close()
    for connection in open_connections:
        connection.socket.close()
    return result


def body_of(port: int, request: Request) -> bytes:
    """The body of one answer. UnexpectedAnswer when the status is not the expected one."""
    connection = _Connection(port)
    connection.send(request)
    while not connection.receive():
        pass
    connection.socket.close()
    return connection.body


def cycle(requests: list[Request]) -> Callable[[], Request]:
    """The requests of a list, again and again."""

    def forever() -> Iterator[Request]:
        while True:
            yield from requests

    return forever().__next__
