"""Who is at the other end: the caller's address, through the proxies that are trusted and no others."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=4)
def networks_of(trusted: tuple[str, ...]) -> tuple[Network, ...]:
    """TRUSTED_PROXIES as networks. ValueError for one that is no address."""
    return tuple(ipaddress.ip_network(text.strip(), strict=False) for text in trusted)


def client_address(environ: Mapping[str, Any]) -> str:
    """The address of the caller. `X-Forwarded-For` counts only as far as TRUSTED_PROXIES have written it."""
    address = str(environ.get("REMOTE_ADDR") or "")
    if not settings.TRUSTED_PROXIES or "HTTP_X_FORWARDED_FOR" not in environ:
        return address
    networks = networks_of(tuple(settings.TRUSTED_PROXIES))
    hops = [hop.strip() for hop in environ["HTTP_X_FORWARDED_FOR"].split(",")]
    while hops and _is_trusted(address, networks):
        address = hops.pop()
    return address


def _is_trusted(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        host = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(host in network for network in networks)
