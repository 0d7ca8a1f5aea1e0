"""Lists of hosts that some code may call: `api.example.com`, `api.example.com:8443`, `*.example.com`, `*`."""

from __future__ import annotations

from collections.abc import Sequence

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url


def may_call_host(host: str, port: int, allowed: Sequence[str]) -> bool:
    """Whether a host (as `Outgoing` has it) is in the list. `*.example.com` stands for all below it, not for itself;
    an entry without a port for every port."""
    name = host.rstrip(".")
    return any(_matches(name, port, entry) for entry in allowed)


def _matches(host: str, port: int, entry: str) -> bool:
    pattern = entry.strip().lower()
    if pattern == "*":
        return True
    below = pattern.startswith("*.")
    try:
        wanted = parse_url(f"http://{pattern[2:] if below else pattern}")
    except LocationParseError:
        return False
    if not wanted.host or (wanted.port is not None and wanted.port != port):
        return False
    name = wanted.host.rstrip(".")
    return host.endswith(f".{name}") if below else host == name
