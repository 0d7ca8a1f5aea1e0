"""The load generator counts right answers only, however they are framed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks import load


class Answers(BaseHTTPRequestHandler):
    """Answers by path: with a length, in chunks, or with an error."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """One of the three."""
        self.send_response(500 if self.path == "/error" else 200)
        if self.path == "/chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"4\r\nfour\r\n3\r\n on\r\n0\r\n\r\n")
        else:
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"length")

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Quiet(ThreadingHTTPServer):
    """Says nothing of connections that a run has closed."""

    def handle_error(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a running server."""
    with Quiet(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize(("path", "body"), [("/length", b"length"), ("/chunks", b"four on")])
def test_an_answer_is_read_whole(port: int, path: str, body: bytes) -> None:
    assert load.body_of(port, load.http_request("GET", path, {})) == body


@pytest.mark.parametrize("path", ["/length", "/chunks"])
def test_a_run_counts_answers_and_keeps_its_time(port: int, path: str) -> None:
    request = load.http_request("GET", path, {})
    result = load.run(port, lambda: request, seconds=0.3, connections=2)
    assert result.requests > 2
    assert 0.3 <= result.seconds < 2
    assert 0 < result.percentile(0.5) <= result.percentile(0.99) < 2


def test_an_error_never_counts_as_speed(port: int) -> None:
    request = load.http_request("GET", "/error", {})
    with pytest.raises(load.UnexpectedAnswer, match="500 instead of 200"):
        load.run(port, lambda: request, seconds=0.3, connections=2)
