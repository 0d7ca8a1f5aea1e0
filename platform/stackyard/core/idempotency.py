"""Requests with an `Idempotency-Key`: done once, answered as often as they are sent.

After draft-ietf-httpapi-idempotency-key-header-07. Whoever sends a key claims it, in a transaction of its own,
before the deed; the answer is kept under it for a day. A claim whose holder died runs out, and the same request may
then be done again: at most one at a time, and once unless a process dies in the middle.
"""

from __future__ import annotations

import re
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from .errors import Problem
from .limits import KEPT_ANSWER_BYTES, KEPT_ANSWER_SECONDS
from .models import KeptAnswer
from .secrets import decrypt_bytes, digest, encrypt_bytes

REPLAYED = "Idempotent-Replayed"
"""The header that marks an answer as one given before (Stripe's name; the draft has none)."""
_KEY = re.compile(r"[\x21-\x7e]{1,200}\Z")
_BATCH = 500
_ROUNDS = 40
_RETRY = {"Retry-After": "1"}

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that was given before."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do the deed of a key. Ends with `keep` or `release`, or runs out by itself."""

    name: str
    fence: str

    def keep(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """Keep the answer for whoever sends the request again. A claim that has run out and was taken keeps nothing.

        Django's DatabaseError when it cannot be written: the key then stays claimed until the claim runs out.
        """
        kept = None
        if len(body) <= KEPT_ANSWER_BYTES.default:
            kept = encrypt_bytes(zlib.compress(body, 1))
        self._held().update(status=status, headers=[list(pair) for pair in headers], body=kept)

    def release(self) -> None:
        """Nothing was done: let the next one with this key try."""
        self._held().delete()

    def _held(self) -> QuerySet[KeptAnswer]:
        return KeptAnswer.objects.filter(name=self.name, fence=self.fence, status=None)


def read_key(text: str) -> str:
    """The key of a header's value, quoted (a structured field's string) or bare. Problem `INVALID_INPUT`."""
    key = text.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if not _KEY.match(key):
        raise Problem(
            "INVALID_INPUT",
            "The Idempotency-Key must have 1 to 200 visible ASCII characters.",
            suggestion="Send a new UUID for each request, and the same one when you send it again.",
        )
    return key


def claim(scope: str, key: str, fingerprint: str, seconds: float) -> Claim | Answered:
    """Claim a key for at most `seconds`, or the answer given under it. `scope` says whose key and for what.

    Problem `CONFLICT` (409) when the key was used with another fingerprint, when its request is in flight, and when
    its answer was too large to be kept.
    """
    name = digest(f"{scope}\n{key}")
    for _ in range(3):
        made = _insert(name, fingerprint, seconds)
        if made is not None:
            return made
        found = KeptAnswer.objects.filter(name=name).first()
        if found is None:
            # It was released between the two statements.
            continue
        now = timezone.now()
        ran_out = found.status is None and found.held_until <= now and found.fingerprint == fingerprint
        if found.expires_at > now and not ran_out:
            return _answer(found, fingerprint)
        taken = _take(found, fingerprint, seconds)
        if taken is not None:
            return taken
    raise _in_flight()


def _insert(name: str, fingerprint: str, seconds: float) -> Claim | None:
    fence = secrets.token_hex(8)
    try:
        with transaction.atomic():
            KeptAnswer.objects.create(name=name, fingerprint=fingerprint, fence=fence, **_times(seconds))
    except IntegrityError:
        return None
    return Claim(name, fence)


def _take(found: KeptAnswer, fingerprint: str, seconds: float) -> Claim | None:
    """Take over a claim or an answer that has run out; one of several who try gets it."""
    fence = secrets.token_hex(8)
    held = KeptAnswer.objects.filter(name=found.name, fence=found.fence, status=found.status)
    values: dict[str, Any] = {"status": None, "headers": [], "body": None, **_times(seconds)}
    taken = held.update(fingerprint=fingerprint, fence=fence, **values)
    return Claim(found.name, fence) if taken else None


def _times(seconds: float) -> dict[str, datetime]:
    now = timezone.now()
    return {
        "held_until": now + timedelta(seconds=seconds),
        "expires_at": now + timedelta(seconds=KEPT_ANSWER_SECONDS.default),
    }


def _answer(found: KeptAnswer, fingerprint: str) -> Answered:
    if found.fingerprint != fingerprint:
        raise Problem(
            "CONFLICT",
            "This Idempotency-Key was used with another request.",
            suggestion="Send a new key for a new request, and an old one only with exactly the same request.",
        )
    if found.status is None:
        raise _in_flight()
    packed = decrypt_bytes(bytes(found.body)) if found.body is not None else None
    if packed is None:
        raise Problem(
            "CONFLICT",
            f"This request was answered before, with status {found.status}; the answer is not kept any more.",
        )
    headers = [(name, value) for name, value in found.headers]
    return Answered(found.status, headers, zlib.decompress(packed))


def _in_flight() -> Problem:
    return Problem(
        "CONFLICT",
        "The request with this Idempotency-Key is still being worked on.",
        suggestion="Wait a moment and send it again.",
        headers=_RETRY,
    )


def prune() -> int:
    """Delete answers that are kept no longer; how many. In batches, so that writers wait for none of them long."""
    deleted = 0
    for _ in range(_ROUNDS):
        old = KeptAnswer.objects.filter(expires_at__lt=timezone.now()).order_by("expires_at")
        names = list(old.values_list("name", flat=True)[:_BATCH])
        if not names:
            break
        # What was claimed again in between has a new time.
        deleted += KeptAnswer.objects.filter(name__in=names, expires_at__lt=timezone.now()).delete()[0]
    return deleted
