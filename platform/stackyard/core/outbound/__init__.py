"""The one door to other servers; nothing else in the repository speaks HTTP to anyone (docs/decisions/outbound.md)."""

from .bodies import BODY_TYPES, BYTES, is_media_type, octets
from .clock import Switch
from .door import request
from .outgoing import CONNECTION_HEADERS
from .response import Response

__all__ = [
    "BODY_TYPES",
    "BYTES",
    "CONNECTION_HEADERS",
    "Response",
    "Switch",
    "is_media_type",
    "octets",
    "request",
]
