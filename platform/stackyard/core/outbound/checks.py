"""What `manage.py check` says of the settings of the one door out."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info

from .addresses import allowed_networks, port_ranges


def check_settings(**_: Any) -> list[CheckMessage]:
    """An error for networks or ports that cannot be read; a word on private networks that are open, for all to see."""
    found: list[CheckMessage] = []
    try:
        allowed = allowed_networks(tuple(settings.OUTBOUND_ALLOW))
    except ValueError as error:
        found.append(Error(f"STACKYARD_OUTBOUND_ALLOW: {error}.", id="outbound.E001"))
    else:
        if allowed:
            told = ", ".join(map(str, allowed))
            found.append(
                Info(f"Stacks and lambdas may call these private networks: {told}.", id="outbound.I001")
            )
    try:
        if settings.OUTBOUND_PORTS:
            port_ranges(settings.OUTBOUND_PORTS)
    except ValueError as error:
        found.append(Error(f"STACKYARD_OUTBOUND_PORTS: {error}.", id="outbound.E002"))
    return found
