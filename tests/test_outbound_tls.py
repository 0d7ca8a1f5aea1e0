"""Requests over TLS: certificates are checked against the name that was asked for, whatever address it has."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stackyard.core.errors import Problem
from stackyard.core.outbound import connections, request
from tests.outside import OTHER, PUBLIC, Answer, Outside, Received, Server, Speaks

_DAY = datetime.timedelta(days=1)
Serve = Callable[..., Server]


class Authority:
    """A certificate authority that the system trusts during a test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        own = self._build(self._name, self._key, 30, [], authority=True)
        self.file = folder / "authority.pem"
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def context(self, name: str, days: int = 10) -> ssl.SSLContext:
        """What a server at `name` speaks TLS with; a negative number of days is a certificate that has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        try:
            names: list[x509.GeneralName] = [x509.IPAddress(ip_address(name))]
        except ValueError:
            names = [x509.DNSName(name)]
        made = self._build(subject, key, days, names)
        file = self._folder / f"{name}.pem"
        file.write_bytes(
            made.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _build(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        days: int,
        names: list[x509.GeneralName],
        authority: bool = False,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - 20 * _DAY).not_valid_after(now + days * _DAY)
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _host(received: Received) -> Answer:
    return Answer(200, received.headers["host"].encode())


@pytest.fixture
def serve(outside: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a server that speaks TLS with a certificate for a name, at another name if one is given."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    connections.trusted.cache_clear()

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
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(stranger).file))
    connections.trusted.cache_clear()
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
