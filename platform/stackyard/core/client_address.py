"""Who is at the other end: the caller's address, through the proxies that are trusted and no others."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=1024)
def networks_of(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Addresses and networks (`10.1.2.3`, `10.0.0.0/8`, `2001:db8::/32`) as networks. ValueError for one that is none."""
    return tuple(ipaddress.ip_network(text.strip(), strict=False) for text in texts)


def client_address(environ: Mapping[str, Any]) -> str:
    """The address of the caller. `X-Forwarded-For` counts only as far as TRUSTED_PROXIES have written it."""
    address = str(environ.get("REMOTE_ADDR") or "")
    if not settings.TRUSTED_PROXIES or "HTTP_X_FORWARDED_FOR" not in environ:
        return address
    networks = networks_of(tuple(settings.TRUSTED_PROXIES))
    hops = [hop.strip() for hop in environ["HTTP_X_FORWARDED_FOR"].split(",")]
    while hops and is_within(address, networks):
        address = hops.pop()
    return address


def counted_as(address: str) -> str:
    """What counts an address's calls and tries: itself, or its /64 for IPv6.

    One subscriber has a whole /64 (RFC 6177), and would be somebody else with every try.
    """
    if ":" not in address:
        return address
    try:
        host = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if host.ipv4_mapped is not None:
        return str(host.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(host) >> 64 << 64, 64)))


def is_within(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address lies in one of the networks; one that is no address lies in none."""
    try:
        host = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(host in network for network in networks)
