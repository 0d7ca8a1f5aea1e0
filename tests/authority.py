"""A certificate authority of the tests' own, so that servers on this machine speak TLS under names of the internet."""

from __future__ import annotations

import datetime
import ssl
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stackyard.core.outbound import connections

_DAY = datetime.timedelta(days=1)


class Authority:
    """A certificate authority, which the way out trusts once `is_trusted` was called."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        own = self._build(self._name, self._key, 30, [], authority=True)
        self.file = folder / "authority.pem"
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def is_trusted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on; `connections.trusted.cache_clear()` at the end of the test forgets it."""
        monkeypatch.setenv("SSL_CERT_FILE", str(self.file))
        connections.trusted.cache_clear()

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
