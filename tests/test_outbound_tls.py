"""Requests over TLS: certificates are checked against the name that was asked for, whatever address it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stackyard.core.errors import Problem
from stackyard.core.outbound import connections, request
from tests.authority import Authority
from tests.outside import OTHER, PUBLIC, Answer, Outside, Received, Server, Speaks

Serve = Callable[..., Server]


def _host(received: Received) -> Answer:
    return Answer(200, received.headers["host"].encode())


@pytest.fixture
def serve(outside: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a server that speaks TLS with a certificate for a name, at another name if one is given."""
    authority = Authority(tmp_path)
    authority.is_trusted(monkeypatch)

    def start(
        name: str, certified: str | None = None, days: int = 10, address: str = PUBLIC, speaks: Speaks = _host
    ) -> Server:
        server = outside.serve(name, speaks, address)
        server.secure(authority.context(certified or name, days))
        return server

    yield start
    connections.trusted.cache_clear()


def test_a_server_with_a_valid_certificate_is_asked(serve: Serve) -> None:
    serve("api.example")
    assert request("GET", "https://api.example/").body == b"api.example"


def test_a_server_is_asked_by_its_address_when_that_is_certified(serve: Serve) -> None:
    serve("unused.example", certified=PUBLIC)
    assert request("GET", f"https://{PUBLIC}/").body == PUBLIC.encode()


@pytest.mark.parametrize(("certified", "days"), [("other.example", 10), ("api.example", -1)])
def test_a_certificate_of_another_name_or_day_is_refused(serve: Serve, certified: str, days: int) -> None:
    server = serve("api.example", certified, days)
    with pytest.raises(Problem) as caught:
        request("POST", "https://api.example/?key=secret", body={"key": "secret"}, retries=3)
    assert caught.value.code == "REQUEST_FAILED"
    assert "certificate" in caught.value.message
    assert "secret" not in caught.value.message
    assert server.received == []


def test_an_authority_nobody_trusts_is_refused(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = serve("api.example")
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    Authority(stranger).is_trusted(monkeypatch)
    with pytest.raises(Problem, match="certificate"):
        request("GET", "https://api.example/")
    assert server.received == []


def test_a_redirect_without_encryption_learns_no_credentials(serve: Serve, outside: Outside) -> None:
    server = outside.serve("api.example", lambda _: Answer(), OTHER)
    serve("secure.example", speaks=lambda _: Answer(302, headers={"Location": "http://api.example/"}))
    request("GET", "https://secure.example/", headers={"Authorization": "Bearer s"})
    assert "authorization" not in server.received[0].headers


def test_a_server_that_does_not_speak_tls_is_not_asked(outside: Outside) -> None:
    server = outside.serve("api.example", lambda _: Answer())
    with pytest.raises(Problem) as caught:
        request("GET", "https://api.example/", timeout=3)
    assert caught.value.code == "REQUEST_FAILED"
    assert server.received == []
