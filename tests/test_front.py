"""The front door: which paths it takes, and real bytes through a real server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stackyard.front import Front, is_endpoint_path
from tests import installation
from tests.raw_http import RawAnswer, RawConnection, chunked
from tests.services import free_port

ROOT = Path(__file__).resolve().parents[1]
SET_UP = """
from stackyard.start.installation import migrate
migrate()
from endpoints.publishing import create_endpoint, publish
from endpoints.groups import create_group
from stackyard.core.workspaces import create_workspace
from stackyard.tables.changes import create_table
workspace = create_workspace("raw")
create_table(workspace, "notes", fields={"text": "text"})
group = create_group(workspace, "raw", canonical="raw")
read = {"step": "has_record", "as": "found", "params": {"table": "notes", "value": 1}}
for name, method, path, inputs, lines, response in (
    ("echo", "POST", "/echo", {"v": {"type": "json", "nullable": True}}, [], "input"),
    ("thing", "GET", "/things/{x}", {"x": "text"}, [], "input"),
    ("note", "GET", "/note", {}, [read], "found"),
):
    publish(create_endpoint(group, {
        "name": name, "method": method, "path": path, "auth": ["public"], "inputs": inputs, "lines": lines,
        "response": {"$expr": response}, "limit_per_second": 1000000,
    }))
"""


@pytest.mark.parametrize(
    "path", ["/api:shop/a", "/api:shop", "/api/v1/a", "/api/", "/api:metal/a", "/api:meta-x"]
)
def test_endpoint_paths_are_taken(path: str) -> None:
    assert is_endpoint_path(path)


@pytest.mark.parametrize(
    "path", ["/", "/api", "/apispec:shop", "/apidoc:shop", "/api:meta", "/api:meta/x", "/admin/", ""]
)
def test_all_others_go_on_to_django(path: str) -> None:
    assert not is_endpoint_path(path)
    passed: list[Any] = []

    def behind(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        passed.append(environ["PATH_INFO"])
        return [b""]

    assert Front(behind)({"PATH_INFO": path}, None) == [b""]  # type: ignore[arg-type]
    assert passed == [path]


def test_proxies_that_are_no_addresses_stop_the_start(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["the-proxy"]
    with pytest.raises(ValueError, match="the-proxy"):
        Front(lambda environ, start_response: [])


@dataclass
class Served:
    """A web server in a process of its own."""

    process: subprocess.Popen[bytes]
    port: int
    environment: dict[str, str]

    def python(self, code: str) -> str:
        """What code prints that runs with this server's settings."""
        done = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{code}"],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def stop(self) -> None:
        """Ask the server to end and wait for it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with installation.database() as url:
        port = free_port()
        home = tmp_path_factory.mktemp("front")
        environment = {
            **installation.variables(home, port, url, {"WEB_PROCESSES": "1"}),
            "DJANGO_SETTINGS_MODULE": "stackyard.settings",
        }
        server = Served(None, port, environment)  # type: ignore[arg-type]
        server.python(SET_UP)
        command = [sys.executable, "-m", "stackyard.start.web"]
        server.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield server
        finally:
            if server.process.poll() is None:
                server.stop()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with RawConnection(port) as connection:
                if (
                    connection.ask(b"GET /api:raw/things/up HTTP/1.1\r\nHost: localhost\r\n\r\n").status
                    == 200
                ):
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up")


def ask(
    served: Served, head: str, body: bytes = b"", *, is_head: bool = False
) -> tuple[RawAnswer, RawAnswer]:
    """The answer to one request, and that to an ordinary one on the same connection after it (status 0: closed)."""
    first, *fields = head.split("\n")
    lines = [f"{first} HTTP/1.1", "Host: localhost", *fields, "", ""]
    with RawConnection(served.port) as connection:
        answer = connection.ask("\r\n".join(lines).encode("latin-1") + body, head=is_head)
        after = connection.ask(b"GET /api:raw/things/1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return answer, after


POST = "POST /api:raw/echo\nContent-Type: application/json"


def test_a_chunked_body_is_read_whole(served: Served) -> None:
    body = chunked(b'{"v"', b": [1, 2", b"]}")
    answer, after = ask(served, f"{POST}\nTransfer-Encoding: chunked", body)
    assert (answer.status, json.loads(answer.body)) == (200, {"v": [1, 2]})
    assert after.status == 200


@pytest.mark.parametrize(
    "body",
    [b'{"v": NaN}', b'{"v": 1e999}', b'{"v": 1, "v": 2}', b'{"v": "\xff"}', b"[" * 100_000, b'{"v"', b""],
)
def test_bad_json_in_chunks_is_400_and_the_connection_goes_on(served: Served, body: bytes) -> None:
    sent = chunked(*[body[i : i + 1000] for i in range(0, len(body), 1000)])
    answer, after = ask(served, f"{POST}\nTransfer-Encoding: chunked", sent)
    assert answer.status == (400 if body else 200)
    assert after.status == 200


def test_ten_megabytes_and_one_in_chunks_are_413(served: Served) -> None:
    fits = [b"{}" + b" " * 99_998] + [b" " * 100_000] * 99
    assert ask(served, f"{POST}\nTransfer-Encoding: chunked", chunked(*fits))[0].status == 200
    answer, _ = ask(served, f"{POST}\nTransfer-Encoding: chunked", chunked(*fits, b" "))
    assert answer.status == 413
    assert json.loads(answer.body)["error"]["code"] == "PAYLOAD_TOO_LARGE"


def test_a_stated_length_past_the_limit_is_413_though_nothing_was_sent(served: Served) -> None:
    for length in (10_000_001, 99_999_999_999):
        with RawConnection(served.port) as connection:
            answer = connection.ask(_post(length))
        assert answer.status == 413


def _post(length: int) -> bytes:
    return (
        "POST /api:raw/echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def test_two_lengths_hide_no_second_request(served: Served) -> None:
    both = f"{POST}\nContent-Length: 2\nTransfer-Encoding: chunked"
    answer, after = ask(served, both, chunked(b"{}"))
    # RFC 9112 §6.3: refused, or the chunks count and the connection ends.
    assert answer.status == 400 or (answer.status, after.status) == (200, 0)
    assert ask(served, f"{POST}\nContent-Length: 2\nContent-Length: 3", b"{}")[0].status == 400


def test_a_body_that_ends_early_hurts_nobody_else(served: Served) -> None:
    with RawConnection(served.port) as connection:
        connection.send(_post(1000) + b"{")
    assert ask(served, "GET /api:raw/things/1")[0].status == 200


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a%2520b", "a%20b"),
        ("%252e%252e", "%2e%2e"),
        ("%C3%A9", "\u00e9"),
        ("e%CC%81", "\u00e9"),
        ("a+b", "a+b"),
        ("a;b", "a;b"),
    ],
)
def test_the_server_and_the_door_decode_a_path_once_together(served: Served, path: str, value: str) -> None:
    answer, _ = ask(served, f"GET /api:raw/things/{path}")
    assert json.loads(answer.body) == {"x": value}


@pytest.mark.parametrize(
    "path",
    [
        "/../things/1",
        "/%2e%2e/x",
        "//things/1",
        "/things//1",
        "/things/%00",
        "/things/%FF",
        "/things/a%5Cb",
        "/things/%0d%0aX:y",
    ],
)
def test_paths_in_no_normal_form_are_400(served: Served, path: str) -> None:
    answer, after = ask(served, f"GET /api:raw{path}")
    assert json.loads(answer.body)["error"]["code"] == "INVALID_INPUT"
    assert (answer.status, after.status) == (400, 200)


def test_head_has_the_length_of_get_and_no_body(served: Served) -> None:
    got, _ = ask(served, "GET /api:raw/things/abc")
    answer, after = ask(served, "HEAD /api:raw/things/abc", is_head=True)
    assert (answer.status, answer.headers["content-length"]) == (200, str(len(got.body)))
    assert after.status == 200


def test_an_address_of_another_host_is_still_ours(served: Served) -> None:
    assert ask(served, "GET http://evil.example/api:raw/things/1")[0].status == 200


def test_a_database_that_hangs_up_costs_one_call_and_no_more(served: Served) -> None:
    if not served.environment["DATABASE_URL"]:
        pytest.skip("SQLite is a file: nothing hangs up")
    assert ask(served, "GET /api:raw/note")[0].body == b"false"
    served.python(
        "from django.db import connection\n"
        "connection.cursor().execute('SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()')"
    )
    # One broken connection for each thread of the server.
    answers = [ask(served, "GET /api:raw/note")[0] for _ in range(8)]
    assert {answer.status for answer in answers} <= {200, 503}
    assert [answer.status for answer in answers].count(503) <= 2
    assert answers[-1].body == b"false"


def test_every_call_is_in_the_history_when_the_server_has_ended(served: Served) -> None:
    count = "from endpoints.models import HistoryEntry; print(HistoryEntry.objects.filter(request_id__startswith='last-').count())"
    with RawConnection(served.port) as connection:
        for number in range(300):
            request = (
                f"GET /api:raw/things/1 HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: last-{number}\r\n\r\n"
            )
            assert connection.ask(request.encode()).status == 200
    served.stop()
    assert served.python(count) == "300"
