"""HTTP as bytes on a socket: for requests that no client library would send."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class RawAnswer:
    """What came back; `status` is 0 when the server hung up without a word. Header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes


class RawConnection:
    """One connection, kept open between requests."""

    def __init__(self, port: int, seconds: float = 20) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), seconds)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> RawConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes; a server that hangs up meanwhile is no error here."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def read(self, *, head: bool = False) -> RawAnswer:
        """The next answer; after a HEAD request it has no body."""
        try:
            line = self._file.readline()
        except ConnectionResetError:
            line = b""
        if not line:
            return RawAnswer(0, {}, b"")
        status = int(line.split()[1])
        headers = {}
        while (line := self._file.readline().rstrip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = 0 if head or status in (204, 304) else int(headers.get("content-length", 0))
        return RawAnswer(status, headers, self._file.read(length))

    def ask(self, data: bytes, *, head: bool = False) -> RawAnswer:
        """Send one request and read its answer."""
        self.send(data)
        return self.read(head=head)


def chunked(*parts: bytes) -> bytes:
    """A body in chunks (RFC 9112 §7.1)."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
