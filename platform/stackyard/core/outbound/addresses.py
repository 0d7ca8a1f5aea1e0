"""Which addresses may be called: a host name becomes addresses once, and only these are ever dialled.

Everything that is not a public unicast address is refused: the IANA special-purpose registries (RFC 6890; loopback,
private, link-local with the metadata services of clouds, shared, documentation, benchmarking), multicast, and the
IPv6 forms that carry an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo), which could carry a private one.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings

from ..errors import Problem
from .faults import Unreached

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_UNICAST_V6 = IPv6Network("2000::/3")
"""All of IPv6 that IANA has given out as global unicast; everything else is refused without being listed."""

# What lies in global space but is not the internet, including what Python's `is_global` learnt only in later patches.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "100.64.0.0/10",  # shared address space of providers (CGN); holds a cloud's metadata service too
        "168.63.129.16/32",  # a cloud's host agent at a public address
        "192.0.0.0/24",  # protocol assignments; holds a cloud's metadata service too
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
_MOST_ADDRESSES = 8

# Ports of databases, queues and daemons that no web server listens on: a request could be read as their commands.
_NOT_WEB = frozenset(
    {
        *(1433, 1434, 1521, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5432, 5433, 5671, 5672, 5900),
        *(6000, 6001, 6379, 6380, 6432, 6665, 6666, 6667, 6668, 6669, 6697, 7000, 7001, 9042, 9092, 9160),
        *(10250, 11211, 25672, 26379, 27017, 27018, 27019, 33060, 50000, 61613, 61616),
    }
)


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet."""
    if address.version == 6 and address not in _UNICAST_V6:
        return False
    if address.is_multicast or not address.is_global:
        return False
    return not any(address in network for network in _NOT_PUBLIC if network.version == address.version)


def may_call(address: Address) -> bool:
    """Whether an address is public, or in a range that an administrator allows (`STACKYARD_OUTBOUND_ALLOW`)."""
    return is_public(address) or any(
        address in network
        for network in allowed_networks(tuple(settings.OUTBOUND_ALLOW))
        if network.version == address.version
    )


@lru_cache(maxsize=8)
def allowed_networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks of the setting; ValueError for one that is not a network, or so wide that it allows everything."""
    networks = tuple(ip_network(text) for text in texts)
    for network in networks:
        if network.prefixlen < (8 if network.version == 4 else 7):
            raise ValueError(f"{network} is wider than any private network; name the private ranges")
    return networks


def may_use_port(port: int) -> bool:
    """Whether a port may be called: 80, 443, and from 1024 on all but those of databases and the like.

    `STACKYARD_OUTBOUND_PORTS` puts another list in this rule's place.
    """
    if settings.OUTBOUND_PORTS:
        return any(first <= port <= last for first, last in port_ranges(settings.OUTBOUND_PORTS))
    return port in (80, 443) or (port >= 1024 and port not in _NOT_WEB)


@lru_cache(maxsize=8)
def port_ranges(text: str) -> tuple[tuple[int, int], ...]:
    """`80,443,8000-8999` as pairs of first and last; ValueError when it is not such a list."""
    pairs = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,5})(?:-(\d{1,5}))?\s*", part)
        if match is None:
            raise ValueError(f"{part.strip()!r} is not a port or a range of ports")
        pairs.append((int(match[1]), int(match[2] or match[1])))
    return tuple(pairs)


def refused(message: str) -> Problem:
    """422 `ADDRESS_REFUSED`."""
    return Problem("ADDRESS_REFUSED", message)


def resolve(host: str, port: int, seconds: float) -> list[Address]:
    """The addresses of a host, all of them checked. They are asked for once: whoever calls dials these.

    Problem `ADDRESS_REFUSED` when any of them may not be called: a name with a public and a private address is an
    attempt to be checked by one and reached by the other. `Unreached` when there is none within `seconds`.
    """
    addresses = list(dict.fromkeys(_look_up(host, port, seconds)))[:_MOST_ADDRESSES]
    if not all(may_call(address) for address in addresses):
        raise Problem(
            "ADDRESS_REFUSED",
            f'The address of "{host}" is not one of the public internet.',
            suggestion="An administrator can allow private networks with STACKYARD_OUTBOUND_ALLOW.",
        )
    return addresses


def _look_up(host: str, port: int, seconds: float) -> Sequence[Address]:
    try:
        return [ip_address(host)]
    except ValueError:
        found = _ask_resolver(host, port, seconds)
    if not found:
        raise Unreached(f'There is no host "{host}".')
    return [ip_address(entry[4][0]) for entry in found]


def _ask_resolver(host: str, port: int, seconds: float) -> list[Any]:
    """`getaddrinfo` with a time limit, which it has none of: in a thread that is left behind when it takes longer."""
    answer: list[Any] = []

    def ask() -> None:
        try:
            answer.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            answer.append([])

    asking = threading.Thread(target=ask, name="resolver", daemon=True)
    asking.start()
    asking.join(seconds)
    if not answer:
        raise Unreached(f'The address of "{host}" could not be found in time.')
    found: list[Any] = answer[0]
    return [entry for entry in found if entry[0] in (socket.AF_INET, socket.AF_INET6)]
