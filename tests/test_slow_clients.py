"""The nginx recipe of docs/security.md, run as it stands there: 400 clients on slow lines, and somebody who wants an answer."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from stackyard.core.models import Workspace
from tests.conftest import absent
from tests.doc_pages import DOCS, served
from tests.factories import make_endpoint, make_group, make_workspace
from tests.services import free_port, running

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])

SLOW_CLIENTS = 400


@pytest.fixture
def shop(transactional_db: None) -> Workspace:
    workspace = make_workspace()
    group = make_group(workspace)
    make_endpoint(group, "/echo", "POST", inputs={"text": "text"}, response={"$expr": "input.text"})
    return workspace


@contextmanager
def proxy(upstream: str, folder: Path) -> Iterator[int]:
    """Nginx with the recipe before a server; yields its port. The certificate is `certificate.pem` of the folder."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None or shutil.which("openssl") is None:
        absent("nginx or openssl is not installed")
    port = free_port()
    names = ("-out", str(folder / "certificate.pem"), "-keyout", str(folder / "key.pem"))
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    making = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *subject]
    subprocess.run(making, check=True, capture_output=True)
    configuration = folder / "nginx.conf"
    configuration.write_text(_configuration(folder, port, upstream))
    command = [str(found), "-p", str(folder), "-e", str(folder / "errors"), "-c", str(configuration)]
    with running(command, lambda: _is_open(port)):
        yield port


def _configuration(folder: Path, port: int, upstream: str) -> str:
    recipe = re.search(r"^```nginx\n(.*?)^```", (DOCS / "security.md").read_text(), re.S | re.M)
    assert recipe is not None
    ours = recipe[1]
    for shown, here in (
        ("127.0.0.1:8000", upstream),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/api.example.com.pem", str(folder / "certificate.pem")),
        ("/etc/ssl/api.example.com.key", str(folder / "key.pem")),
        ("server_name api.example.com", "server_name localhost"),
    ):
        assert shown in ours
        ours = ours.replace(shown, here)
    kept = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.getuid() == 0 else ""
    return (
        f"daemon off; {user} worker_processes 1; pid {folder}/pid; error_log {folder}/errors;\n"
        f"events {{ worker_connections 2048; }}\nhttp {{ access_log off; {kept}\n{ours}\n}}\n"
    )


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _call(port: int, folder: Path, text: str, origin: str = "127.0.0.2") -> tuple[int, bytes]:
    """POST a text from an address of its own."""
    trusted = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
    with ExitStack() as stack:
        line = socket.create_connection(("127.0.0.1", port), 10, source_address=(origin, 0))
        stack.callback(line.close)
        connection = http.client.HTTPConnection("localhost", port)
        connection.sock = trusted.wrap_socket(line, server_hostname="localhost")
        stack.callback(connection.close)
        body = b'{"text": "%s"}' % text.encode()
        connection.request("POST", "/api:shop/echo", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()


def _open_slowly(port: int, folder: Path, number: int) -> ssl.SSLSocket:
    """A client that has sent a part of its request: of its headers, or of a body."""
    trusted = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
    # Four addresses: one address holds no more than a hundred connections.
    line = socket.create_connection(("127.0.0.1", port), 10, source_address=(f"127.0.1.{number % 4 + 1}", 0))
    client = trusted.wrap_socket(line, server_hostname="localhost")
    begun = b"POST /api:shop/echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    client.sendall(begun + (b"Content-Length: 1000\r\n\r\n{" if number % 2 else b"X-Slow: "))
    return client


def test_slow_clients_behind_the_proxy_hold_nobody_up(shop: Workspace, tmp_path: Path) -> None:
    with ExitStack() as stack:
        # One request at a time: what reached it half would hold up everything.
        upstream = stack.enter_context(served()).removeprefix("http://")
        port = stack.enter_context(proxy(upstream, tmp_path))
        assert _call(port, tmp_path, "before") == (200, b'"before"')
        for number in range(SLOW_CLIENTS):
            stack.callback(_open_slowly(port, tmp_path, number).close)
        began = time.monotonic()
        for _ in range(20):
            assert _call(port, tmp_path, "meanwhile") == (200, b'"meanwhile"')
        assert time.monotonic() - began < 10


def test_the_proxy_leaves_what_is_too_large_to_stackyard_or_refuses_it(
    shop: Workspace, tmp_path: Path
) -> None:
    with served() as base, proxy(base.removeprefix("http://"), tmp_path) as port:
        status, answer = _call(port, tmp_path, "x" * 10_100_000)
        assert status == 413
        assert b"PAYLOAD_TOO_LARGE" in answer
        status, answer = _call(port, tmp_path, "x" * 12_000_000)
        assert (status, b"PAYLOAD" in answer) == (413, False)
