"""Requests that are sent again with the same `Idempotency-Key`: whose key it is, what makes two requests the same."""

from __future__ import annotations

import hashlib
import logging
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, InterfaceError

from stackyard.core.connection import close_broken
from stackyard.core.data_source import LIVE
from stackyard.core.idempotency import Claim
from stackyard.core.jsonout import encode
from stackyard.core.principal import Principal

if TYPE_CHECKING:
    from .calls import Answer
    from .inputs import Sent

_log = logging.getLogger(__name__)
KEY_HEADER = "HTTP_IDEMPOTENCY_KEY"
HELD_LONGER = 30
"""Seconds that a claim outlasts its stack's own time, before a request that died is done again."""


def scope_of(endpoint_id: int, principal: Principal, source: str = LIVE) -> str:
    """Keys are counted for one caller at one endpoint and data source; callers who are not known share theirs."""
    scope = f"endpoint:{endpoint_id}:{principal.kind}:{principal.table or ''}:{principal.id}"
    return scope if source == LIVE else f"{scope}:{source}"


def fingerprint_of(path: str, environ: Mapping[str, Any], sent: Sent | None) -> str:
    """What must be the same when a request is sent again: path, query and body, byte for byte.

    Of a form with files the values count, since its boundaries differ each time.
    """
    made = hashlib.sha256()
    for part in (path.encode(), environ.get("QUERY_STRING", "").encode("latin-1", "replace")):
        made.update(len(part).to_bytes(8, "big") + part)
    if sent is not None and sent.uploads:
        made.update(encode([sent.values, [upload.digest() for upload in sent.uploads]]))
    elif sent is not None:
        made.update(sent.raw_body)
    return urlsafe_b64encode(made.digest()).decode().rstrip("=")


def end_claim(claim: Claim, answer: Answer) -> None:
    """Keep an answer, or give the key back when the answer says to try again.

    An answer that cannot be kept is still given: its key stays claimed until the claim runs out.
    """
    try:
        if answer.error_code == "BUSY":
            claim.release()
        else:
            claim.keep(answer.status, answer.headers, answer.body)
    except (DatabaseError, InterfaceError):
        _log.exception("the answer to an Idempotency-Key cannot be kept")
        close_broken()
