"""Connections that can only be made to addresses that were checked. urllib3 does the rest of HTTP."""

from __future__ import annotations

import socket
import ssl
from functools import lru_cache
from typing import Any

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import DecodeError, HTTPError, LocationParseError

from ..errors import Problem
from .addresses import Address, resolve
from .clock import Clock
from .faults import Broken, Unreached, failed, invalid
from .outgoing import Outgoing

_BLOCK = 65_536


class _Checked(HTTPConnection):
    """Asks `addresses` where a host is and dials what it answers: the name is not looked up a second time."""

    def __init__(self, *arguments: Any, clock: Clock, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._clock = clock

    def _new_conn(self) -> socket.socket:
        try:
            addresses = resolve(self._dns_host, self.port, self._clock.left_to_connect())
        except Unreached:
            self._clock.left()
            raise
        connection = _dial(addresses, self.host, self.port, self._clock)
        self._clock.watch(connection)
        return connection


class _CheckedTLS(_Checked, HTTPSConnection):
    """The same with TLS; the certificate is checked against the host's name, as ever."""

    def connect(self) -> None:
        """Connect. Until this is done the other server has seen nothing of the request."""
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            raise failed(f'The certificate of "{self.host}" is not valid: {error.verify_message}.') from None
        except OSError:
            self._clock.left()
            raise Unreached(f'No secure connection to "{self.host}" comes about.') from None


class _Plain(HTTPConnectionPool):
    ConnectionCls = _Checked


class _TLS(HTTPSConnectionPool):
    ConnectionCls = _CheckedTLS


def _dial(addresses: list[Address], host: str, port: int, clock: Clock) -> socket.socket:
    """The first connection that comes about."""
    for address in addresses:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(clock.left_to_connect())
            connection.connect((str(address), port))
        except OSError:
            connection.close()
            continue
        except BaseException:
            connection.close()
            raise
        return connection
    clock.left()
    raise Unreached(f'"{host}" cannot be reached at port {port}.')


@lru_cache(maxsize=1)
def trusted() -> ssl.SSLContext:
    """Certificates that the operating system trusts (`SSL_CERT_FILE` names others); reading them takes 40 ms."""
    return ssl.create_default_context()


def exchange(outgoing: Outgoing, clock: Clock, most_bytes: int) -> tuple[BaseHTTPResponse, bytes]:
    """Send one request and read its answer, at most `most_bytes` of it decompressed. Redirects are answers.

    Problem `ADDRESS_REFUSED`; `Unreached` or `Broken`; `REQUEST_TIMEOUT` when the clock runs out.
    """
    with _pool(outgoing, clock) as pool:
        try:
            response = pool.urlopen(
                outgoing.method,
                outgoing.target,
                body=outgoing.body,
                headers=outgoing.headers,
                retries=False,
                redirect=False,
                preload_content=False,
                timeout=Timeout(connect=clock.left_to_connect(), read=clock.left()),
            )
            with response:
                body = _read(response, outgoing.host, most_bytes)
        except (HTTPError, OSError, ValueError) as error:
            clock.left()
            raise _fault(error, outgoing.host) from None
    clock.left()
    return response, body


def _pool(outgoing: Outgoing, clock: Clock) -> HTTPConnectionPool:
    try:
        if outgoing.scheme == "https":
            return _TLS(outgoing.host, outgoing.port, ssl_context=trusted(), clock=clock)
        return _Plain(outgoing.host, outgoing.port, clock=clock)
    except LocationParseError:
        raise invalid(f'"{outgoing.host}" is not the name of a host.') from None


def _read(response: BaseHTTPResponse, host: str, most_bytes: int) -> bytes:
    blocks: list[bytes] = []
    size = 0
    for block in response.stream(_BLOCK, decode_content=True):
        size += len(block)
        if size > most_bytes:
            raise failed(f'The answer of "{host}" is larger than {most_bytes:,} bytes.')
        blocks.append(block)
    return b"".join(blocks)


def _fault(error: Exception, host: str) -> Problem:
    """What went wrong, in words that hold nothing of the request: it may carry secrets."""
    if isinstance(error, DecodeError):
        return failed(f'The answer of "{host}" is not compressed as it says.')
    return Broken(f'The connection to "{host}" broke before its answer was complete.')
