"""A stand-in for the internet: names, public addresses and servers, all of it on the loopback address.

The resolver and `connect` are stubbed: a test that would dial anything else fails.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

PUBLIC = "93.184.215.14"
OTHER = "93.184.215.99"


@dataclass(frozen=True)
class Received:
    """A request as a server got it. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What a server says; Content-Length is added."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Speaks = Callable[[Received], Answer]


class Server:
    """A web server on the loopback address that remembers what it was asked."""

    def __init__(self, speaks: Speaks) -> None:
        self.received: list[Received] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, speaks))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def secure(self, context: Any) -> None:
        """Speak TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def stop(self) -> None:
        """Close it."""
        self._server.shutdown()
        self._server.server_close()


def _handler(server: Server, speaks: Speaks) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.command, self.path, headers, self.rfile.read(length))
            server.received.append(received)
            answer = speaks(received)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                for one in value.split("\n"):
                    self.send_header(name, one)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

        def log_message(self, format: str, *arguments: Any) -> None:
            """Quiet."""

    return Handler


class Outside:
    """What the product can see of the world.

    `names` gives each name's answers in turn (the last one again and again). `routes` says which port of the loopback
    address stands for a public address. `dialled` is every address that was connected to, `asked` every name.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: dict[str, list[list[str]]] = {"localhost": [["127.0.0.1"]]}
        self.routes: dict[str, int] = {}
        self.dialled: list[str] = []
        self.asked: list[str] = []
        self._stops: list[Callable[[], None]] = []
        self._resolve, self._connect = socket.getaddrinfo, socket.socket.connect
        monkeypatch.setattr(socket, "getaddrinfo", self._answer_name)
        monkeypatch.setattr(socket.socket, "connect", lambda made, address: self._dial(made, address))

    def serve(self, name: str, speaks: Speaks, address: str = PUBLIC) -> Server:
        """A server at a name and a public address, whatever port is dialled there."""
        server = Server(speaks)
        self._stops.append(server.stop)
        self.names[name] = [[address]]
        self.routes[address] = server.port
        return server

    def serve_inside(self, speaks: Speaks) -> Server:
        """A server that only this machine should reach."""
        server = Server(speaks)
        self._stops.append(server.stop)
        return server

    def serve_raw(self, name: str, speaks: Callable[[socket.socket], None], address: str = PUBLIC) -> None:
        """A server that is handed each connection as it is."""
        listener = socket.create_server(("127.0.0.1", 0))

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_quietly, args=(speaks, connection), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        self._stops.append(lambda: (listener.shutdown(socket.SHUT_RDWR), listener.close())[1])
        self.names[name] = [[address]]
        self.routes[address] = listener.getsockname()[1]

    def stop(self) -> None:
        """Close every server."""
        for stop in self._stops:
            stop()

    def _answer_name(self, host: Any, port: Any, *arguments: Any, **options: Any) -> list[Any]:
        self.asked.append(host)
        answers = self.names.get(host)
        if answers is None:
            # No name: an address in some spelling, read as the system reads it, without asking anyone.
            return self._resolve(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port))
            for a in addresses
        ]

    def _dial(self, made: socket.socket, address: Any) -> None:
        if made.family not in (socket.AF_INET, socket.AF_INET6):
            return self._connect(made, address)
        host, port = address[:2]
        self.dialled.append(host)
        if host in self.routes:
            host, port = "127.0.0.1", self.routes[host]
        if host not in ("127.0.0.1", "::1", "localhost"):
            pytest.fail(f"{host} was dialled")
        return self._connect(made, (host, port))


def _quietly(speaks: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with connection, suppress(OSError):
        speaks(connection)


@contextmanager
def open_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    """The stand-in until the block ends."""
    outside = Outside(monkeypatch)
    try:
        yield outside
    finally:
        outside.stop()
