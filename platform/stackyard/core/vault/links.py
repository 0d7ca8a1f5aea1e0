"""Links to private files that work for a while: signed by Django's signing, with a key that only this installation has."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.signing import Signer
from django.utils.crypto import constant_time_compare

from ..errors import Problem
from ..limits import LINK_SECONDS
from ..models import StoredFile
from .contents import path_of

_signer = Signer(salt="stackyard.vault")


def signed_url(row: StoredFile, seconds: Any = None) -> str:
    """The file's URL, good for so many seconds. Problem `INVALID_INPUT` for no such number."""
    seconds = LINK_SECONDS.default if seconds is None else seconds
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise Problem("INVALID_INPUT", "How long a link is good is a number of seconds.")
    if not 1 <= seconds <= LINK_SECONDS.maximum:
        raise Problem("INVALID_INPUT", f"A link is good for 1 to {LINK_SECONDS.maximum:,} seconds.")
    expires = int(time.time() + seconds)
    return f"{settings.PUBLIC_URL}{path_of(row)}?expires={expires}&signature={_signature(row.key, expires)}"


def may_open(row: StoredFile, expires: str, signature: str) -> bool:
    """Whether the parameters of a link open the file now."""
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        return False
    signed = constant_time_compare(signature, _signature(row.key, int(expires)))
    return signed and time.time() <= int(expires)


def _signature(key: str, expires: int) -> str:
    return _signer.signature(f"{key}:{expires}")
