"""A client that speaks WSGI to either door: the front ahead of Django, or Django's own handler.

It builds the environment as the web server does (path decoded once, raw query string, the body as a
stream), so that what a test sends is what a caller's bytes would have become.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_MISSING = object()


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The contract's `error` object."""
        return self.json()["error"]


class Door:
    """Calls one WSGI application. `headers` given at the start go with every request."""

    def __init__(self, application: Application, headers: Mapping[str, str] | None = None) -> None:
        self.application = application
        self.headers = dict(headers or {})

    def with_key(self, key: str) -> Door:
        """The same door, sending an API key."""
        return Door(self.application, {**self.headers, "X-API-Key": key})

    def get(self, url: str, **more: Any) -> Answer:
        """GET."""
        return self.request("GET", url, **more)

    def post(self, url: str, json: Any = _MISSING, **more: Any) -> Answer:
        """POST with a JSON body, or with `body` as bytes."""
        return self.request("POST", url, json=json, **more)

    def put(self, url: str, json: Any = _MISSING, **more: Any) -> Answer:
        """PUT."""
        return self.request("PUT", url, json=json, **more)

    def patch(self, url: str, json: Any = _MISSING, **more: Any) -> Answer:
        """PATCH."""
        return self.request("PATCH", url, json=json, **more)

    def delete(self, url: str, json: Any = _MISSING, **more: Any) -> Answer:
        """DELETE."""
        return self.request("DELETE", url, json=json, **more)

    def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = _MISSING,
        body: bytes = b"",
        query: Any = None,
        headers: Mapping[str, str] | None = None,
        chunked: bool = False,
    ) -> Answer:
        """One request. `url` is as on the request line (percent-encoded); `chunked` sends no Content-Length."""
        sent = {**self.headers, **(headers or {})}
        if json is not _MISSING:
            body = _dump(json)
            sent.setdefault("Content-Type", "application/json")
        environ = _environ(method, url, query, body, sent, chunked)
        return _call(self.application, environ)


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _environ(
    method: str, url: str, query: Any, body: bytes, headers: Mapping[str, str], chunked: bool
) -> dict[str, Any]:
    path, _, query_string = url.partition("?")
    if query is not None:
        query_string = urlencode(query, doseq=True)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        # WSGI carries bytes as Latin-1 text (PEP 3333).
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query_string,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost:8000",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    if chunked:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    elif body or method in ("POST", "PUT", "PATCH"):
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ


def _call(application: Application, environ: dict[str, Any]) -> Answer:
    started: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        started.update(status=int(status.split(" ", 1)[0]), headers=headers)

    with _kept_connections():
        parts = application(environ, start_response)
        try:
            body = b"".join(parts)
        finally:
            close = getattr(parts, "close", None)
            if close:
                close()
    return Answer(started["status"], {n.lower(): v for n, v in started["headers"]}, body)


@contextmanager
def _kept_connections() -> Iterator[None]:
    """A test that runs inside a transaction keeps its connection: Django would hang up after each request."""
    if not connection.in_atomic_block:
        yield
        return
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
