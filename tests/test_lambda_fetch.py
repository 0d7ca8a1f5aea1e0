"""`fetch` in a lambda, as whoever knows it from a browser expects it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.publishing import create_lambda, publish
from lambdas.running import run_now, value_or_problem
from stackyard.core.models import Workspace

from .outside import OTHER, Answer, Outside, Received, open_outside

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    with open_outside(monkeypatch) as opened:
        yield opened


def value(workspace: Workspace, code: str) -> Any:
    document = {"name": "caller", "code": code, "network": ["api.example.com", "other.example.com"]}
    target = create_lambda(workspace, {**document, "timeout": 20})
    publish(target)
    return value_or_problem(run_now(target, None))


def echo(received: Received) -> Answer:
    """What was received, as JSON."""
    headers = {name: value for name, value in received.headers.items() if name != "user-agent"}
    said = {
        "method": received.method,
        "path": received.path,
        "headers": headers,
        "body": received.body.decode(),
    }
    return Answer(200, json.dumps(said).encode(), {"Content-Type": "application/json", "X-Two": "a\nb"})


def test_headers_of_the_connection_are_left_out_without_a_word(
    outside: Outside, workspace: Workspace
) -> None:
    server = outside.serve("api.example.com", echo)
    code = """const headers = { Host: 'evil.example.com', 'Content-Length': '3', Connection: 'close', 'Transfer-Encoding': 'chunked',
  'Accept-Encoding': 'br', Expect: '100-continue', Upgrade: 'h2c', TE: 'trailers', Cookie: 'a=b', 'X-Mine': '1' };
return (await fetch('http://api.example.com/', { method: 'POST', headers, body: 'hello' })).status"""
    assert value(workspace, code) == 200
    sent = server.received[0].headers
    assert (sent["host"], sent["content-length"], sent["x-mine"], sent["cookie"]) == (
        "api.example.com",
        "5",
        "1",
        "a=b",
    )
    assert not {"transfer-encoding", "expect", "upgrade", "te"} & set(sent)
    assert "br" not in sent["accept-encoding"]


def test_bodies_of_every_kind_arrive_with_their_type(outside: Outside, workspace: Workspace) -> None:
    server = outside.serve("api.example.com", echo)
    code = """const form = new FormData();
form.set('name', 'Ada'); form.set('file', new Blob(['a,b'], { type: 'text/csv' }), 'list.csv');
const bodies = ['text', JSON.stringify({ a: 1 }), new URLSearchParams({ q: 'a b' }), form, new Blob(['blob'], { type: 'image/png' }),
  new TextEncoder().encode('bytes'), new TextEncoder().encode('buffer').buffer];
for (const body of bodies) await fetch('http://api.example.com/', { method: 'PUT', body });
await fetch(new Request('http://api.example.com/r?x=1', { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: '{}' }));
await fetch(new URL('http://api.example.com/url'));"""
    value(workspace, code)
    got = [
        (one.method, one.headers.get("content-type", "").split(";")[0], one.body) for one in server.received
    ]
    assert got[0] == ("PUT", "text/plain", b"text")
    assert got[2] == ("PUT", "application/x-www-form-urlencoded", b"q=a+b")
    assert got[3][1] == "multipart/form-data"
    assert b'filename="list.csv"\r\nContent-Type: text/csv\r\n\r\na,b\r\n' in got[3][2]
    assert got[4] == ("PUT", "image/png", b"blob")
    assert [body for _, _, body in got[5:7]] == [b"bytes", b"buffer"]
    assert got[7] == ("PATCH", "application/json", b"{}")
    assert (got[8][0], server.received[8].path) == ("GET", "/url")


def test_answers_are_read_in_every_way_and_any_status_is_one(outside: Outside, workspace: Workspace) -> None:
    def speaks(received: Received) -> Answer:
        status = int(received.path.strip("/") or 200)
        return Answer(status, b'{"n":1}', {"Content-Type": "application/json", "Set-Cookie": "a=1\nb=2"})

    outside.serve("api.example.com", speaks)
    code = """const ask = (path) => fetch('http://api.example.com/' + path);
const seen = [];
for (const status of [201, 204, 404, 429, 503, 999]) {
  const answer = await ask(status);
  seen.push([answer.status, answer.ok, answer.statusText]);
}
const one = await ask('#part');
const copy = one.clone();
const names = [...one.headers].map(([name]) => name).filter((name) => name.startsWith('set-') || name === 'content-type');
return { seen, url: one.url, redirected: one.redirected, json: await one.json(), text: await copy.text(), names, used: one.bodyUsed,
  cookies: one.headers.getSetCookie(), bytes: (await (await ask('')).arrayBuffer()).byteLength, blob: (await (await ask('')).blob()).type }"""
    assert value(workspace, code) == {
        "seen": [
            [201, True, "Created"],
            [204, True, "No Content"],
            [404, False, "Not Found"],
            [429, False, "Too Many Requests"],
            [503, False, "Service Unavailable"],
            [999, False, ""],
        ],
        "url": "http://api.example.com/",
        "redirected": False,
        "json": {"n": 1},
        "text": '{"n":1}',
        "names": ["content-type", "set-cookie", "set-cookie"],
        "used": True,
        "cookies": ["a=1", "b=2"],
        "bytes": 7,
        "blob": "application/json",
    }


def test_redirects_are_followed_shown_or_an_error(outside: Outside, workspace: Workspace) -> None:
    def speaks(received: Received) -> Answer:
        return Answer(302, b"", {"Location": "http://other.example.com/there"})

    outside.serve("api.example.com", speaks)
    outside.serve("other.example.com", echo, OTHER)
    code = """const ask = (redirect) => fetch('http://api.example.com/', { redirect });
const followed = await ask('follow'), shown = await ask('manual');
const refused = await ask('error').catch((error) => error.name);
return [followed.status, followed.url, followed.redirected, shown.status, shown.headers.get('location'), shown.redirected, refused]"""
    there = "http://other.example.com/there"
    assert value(workspace, code) == [200, there, True, 302, there, False, "TypeError"]


def test_a_time_limit_of_its_own_ends_the_wait_and_nothing_else_waits_for_it(
    outside: Outside, workspace: Workspace
) -> None:
    goes_on = threading.Event()

    def speaks(received: Received) -> Answer:
        if received.path == "/slow":
            goes_on.wait(10)
        return echo(received)

    outside.serve("api.example.com", speaks)
    code = """const slow = fetch('http://api.example.com/slow', { signal: AbortSignal.timeout(100) }).catch((error) => error.name);
const other = (await fetch('http://api.example.com/quick')).status;
await cache.set('k', 1, 60);
const controller = new AbortController();
const never = fetch('http://api.example.com/slow', { signal: controller.signal }).catch((error) => error.message);
controller.abort(new Error('enough'));
const already = await fetch('http://api.example.com/', { signal: AbortSignal.abort() }).catch((error) => error.name);
return [await slow, other, await never, already]"""
    began = time.monotonic()
    assert value(workspace, code) == ["TimeoutError", 200, "enough", "AbortError"]
    assert time.monotonic() - began < 5
    goes_on.set()


def is_hung_up(connection: socket.socket) -> bool:
    """Whether the other end closes within 20 seconds; it resets instead when it had not read all it was sent."""
    connection.settimeout(20)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_request_that_is_called_off_closes_its_connection_and_makes_room_for_others(
    outside: Outside, workspace: Workspace
) -> None:
    seen: list[str] = []
    closed: list[str] = []

    def drip(connection: socket.socket) -> None:
        path = connection.recv(65_536).split()[1].decode()
        if path == "/ask":
            body = json.dumps([len(seen), len(closed)]).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhead")
        seen.append(path)
        if is_hung_up(connection):
            closed.append(path)

    outside.serve_raw("api.example.com", drip)
    # Eight may be under way at once: seven that never end, and the one that asks the server what it has seen.
    code = """const url = (path) => 'http://api.example.com/' + path;
const until = async (place, count) => {
  while ((await (await fetch(url('ask'))).json())[place] < count) await new Promise((done) => setTimeout(done, 50));
};
const names = new Set();
for (let round = 1; round <= 3; round++) {
  const off = new AbortController();
  const never = [1, 2, 3, 4, 5, 6, 7].map((n) => fetch(url(`${round}-${n}`), { signal: off.signal }).catch((error) => names.add(error.name)));
  await until(0, round * 7);
  off.abort();
  await Promise.all(never);
}
await until(1, 21);
return [...names]"""
    assert value(workspace, code) == ["AbortError"]


def test_the_end_of_a_run_closes_what_it_left_open(outside: Outside, workspace: Workspace) -> None:
    ended = threading.Event()

    def never(connection: socket.socket) -> None:
        connection.recv(65_536)
        if is_hung_up(connection):
            ended.set()

    outside.serve_raw("api.example.com", never)
    document = {
        "name": "short",
        "code": "await fetch('http://api.example.com/')",
        "network": ["api.example.com"],
    }
    target = create_lambda(workspace, {**document, "timeout": 1})
    publish(target)
    assert run_now(target, None).state == "timed_out"
    assert ended.wait(10)


def test_requests_go_out_side_by_side(outside: Outside, workspace: Workspace) -> None:
    together = threading.Barrier(6)

    def speaks(received: Received) -> Answer:
        together.wait(5)
        return echo(received)

    outside.serve("api.example.com", speaks)
    code = """const all = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => fetch('http://api.example.com/' + n)));
return await Promise.all(all.map(async (one) => (await one.json()).path))"""
    assert value(workspace, code) == [f"/{n}" for n in range(1, 7)]


def test_what_cannot_be_reached_is_an_error_to_catch(outside: Outside, workspace: Workspace) -> None:
    code = """const reasons = [];
for (const address of ['http://elsewhere.example.com/', 'http://api.example.com/', 'ftp://api.example.com/', '/relative']) {
  await fetch(address).catch((error) => reasons.push(error.code ?? error.name));
}
return reasons"""
    assert value(workspace, code) == ["ADDRESS_REFUSED", "REQUEST_FAILED", "ADDRESS_REFUSED", "TypeError"]
