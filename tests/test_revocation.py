"""What is taken back holds within a second in every process: two web processes, each asked on a connection of its own."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests import installation

pytestmark = pytest.mark.both_databases
_SETUP = """
import json
from auth.keys import create_key
from auth.models import User
from auth.oauth.applications import register
from django.test import Client
from stackyard.core.models import Workspace
from tests.factories import make_endpoint, make_group
from endpoints.blueprints import apply_blueprint
from stackyard.tables.changes import create_table

shop = Workspace.objects.get(name="shop")
create_table(shop, "members", fields={"email": {"type": "email", "unique": True}, "password": "password"})
group = make_group(shop, "door")
apply_blueprint(group, "authentication", "members")
make_endpoint(group, "/who", auth=["api_key", "jwt", "oauth2"], response={"$expr": "auth.kind"})
key, text = create_key(shop, "one", ["door"])
application, secret = register(shop, "Report", ["door"], grant="client_credentials")
owner = Client()
owner.force_login(User.objects.filter(is_superuser=True).first())
print(json.dumps({
    "key": text, "key_id": key.pk, "client_id": application.client_id, "client_secret": secret,
    "session": "; ".join(f"{name}={cookie.value}" for name, cookie in owner.cookies.items()),
}))
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Line:
    """A connection that stays open, and so stays with the process that took it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self._connection.connect()
        self.port = port

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status, and the JSON of the answer."""
        ours = self._connection.sock.getsockname()
        sent = body if body is None or isinstance(body, str) else json.dumps(body)
        self._connection.request(method, path, sent, {"Content-Type": "application/json", **(headers or {})})
        answer = self._connection.getresponse()
        text = answer.read()
        assert self._connection.sock is not None, "it was hung up"
        assert self._connection.sock.getsockname() == ours
        return answer.status, json.loads(text) if text.startswith(b"{") or text.startswith(b'"') else text

    @property
    def process(self) -> int:
        """The id of the process at the other end."""
        own, inode = self._connection.sock.getsockname()[1], ""
        for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            here, there, found = (row.split()[column] for column in (1, 2, 9))
            if (int(here.split(":")[1], 16), int(there.split(":")[1], 16)) == (self.port, own):
                inode = found
        for held in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                if inode and os.readlink(held) == f"socket:[{inode}]":
                    return int(held.parts[2])
            except OSError:
                continue
        raise AssertionError("nobody has taken it")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[installation.Installation]:
    """An installation with two web processes."""
    with installation.database() as url, installation.running(tmp_path / "home", url) as running:
        yield running


def lines_to_two(port: int) -> list[Line]:
    """A line to each of two processes."""
    found: dict[int, Line] = {}
    for _ in range(60):
        line = Line(port)
        line.ask("GET", "/healthz")
        if line.process in found:
            line.close()
        else:
            found[line.process] = line
        if len(found) == 2:
            return list(found.values())
    raise AssertionError(f"only {list(found)} took a connection")


def test_what_is_taken_back_is_refused_in_every_process_within_a_second(
    started: installation.Installation,
) -> None:
    made = json.loads(started.python(_SETUP).splitlines()[-1])
    first, second = lines_to_two(started.port)
    client = urlencode({name: made[name] for name in ("client_id", "client_secret")})
    _, oauth = first.ask("POST", "/oauth/token", f"grant_type=client_credentials&scope=door&{client}", FORM)
    ann = {"email": "ann@example.com", "password": "correct horse battery"}
    _, jwt = first.ask("POST", "/api:door/auth/signup", ann)
    csrf = "c" * 32
    console = {"Cookie": f"{made['session']}; csrftoken={csrf}", "X-CSRFToken": csrf}
    by_oauth = {"Authorization": f"Bearer {oauth['access_token']}"}
    by_jwt = {"Authorization": f"Bearer {jwt['authToken']}"}
    deeds: dict[str, tuple[dict[str, str], Callable[[], tuple[int, Any]]]] = {
        "OAuth token": (
            by_oauth,
            lambda: first.ask("POST", "/oauth/revoke", f"token={oauth['access_token']}&{client}", FORM),
        ),
        "JWT": (by_jwt, lambda: first.ask("POST", "/api:door/auth/logout", {}, by_jwt)),
        "API key": (
            {"X-API-Key": made["key"]},
            lambda: first.ask("DELETE", f"/api:meta/workspaces/shop/keys/{made['key_id']}", None, console),
        ),
    }
    with closing(first), closing(second):
        for name, (proof, take_back) in deeds.items():
            for line in (first, second, first, second):
                assert line.ask("GET", "/api:door/who", None, proof)[0] == 200, name
            status, told = take_back()
            assert status in (200, 204), (name, told)
            seconds = refused_after((first, second), proof)
            assert seconds <= 1, f"{name}: {seconds:.2f} s"


def refused_after(lines: tuple[Line, ...], proof: Mapping[str, str]) -> float:
    """How long it takes from now until all refuse, and go on refusing."""
    began = time.monotonic()
    while time.monotonic() - began < 5:
        if all(line.ask("GET", "/api:door/who", None, proof)[0] == 401 for line in lines):
            seconds = time.monotonic() - began
            assert all(line.ask("GET", "/api:door/who", None, proof)[0] == 401 for line in lines * 3)
            return seconds
    raise AssertionError("it is good still")
