"""Webhooks that come in: whether a request was sent by who holds the secret, and what it says.

Standard Webhooks (https://www.standardwebhooks.com) through that project's library; Stripe's and GitHub's own
headers by HMAC-SHA256 as their documentation has it. All three sign the body's bytes, so these must be the ones that
came over the line. Comparisons take constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from .body import is_form, parse_json, parse_pairs
from .errors import Problem

TOLERANCE_SECONDS = 300
"""How far the moment of signing may be from now, where a scheme signs it: what the library has, and Stripe's default."""

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Signed:
    """What a scheme's headers say, signature and moment checked. `id` is what the sender repeats when it sends again."""

    id: str | None = None
    type: str | None = None
    sent_at: datetime | None = None


class _Wrong(Exception):
    """Why a request is refused."""


def verify(
    scheme: str, secrets: Sequence[str], headers: Headers, body: bytes, *, now: float | None = None
) -> dict[str, Any]:
    """`{id, type, sent_at, payload}` of a webhook that one of the secrets signed.

    `headers` have lower-case names. `id` and `type` come from the headers where the scheme has them there, else from the payload's
    own `id` and `type`; without any the `id` is the body's digest. Problem `UNAUTHORIZED` when it is not signed, or not lately; `INVALID_JSON` when a signed body cannot be read.
    """
    signed = _check(scheme, secrets, headers, body, time.time() if now is None else now)
    payload = _read(body, headers.get("content-type", ""))
    own = payload if isinstance(payload, dict) else {}
    return {
        "id": signed.id or _text(own.get("id")) or f"sha256:{hashlib.sha256(body).hexdigest()}",
        "type": signed.type or _text(own.get("type")),
        "sent_at": signed.sent_at,
        "payload": payload,
    }


def _check(scheme: str, secrets: Sequence[str], headers: Headers, body: bytes, now: float) -> Signed:
    check, usable = SCHEMES[scheme], [secret for secret in secrets if secret]
    if not usable:
        raise Problem(
            "WEBHOOK_SECRET_MISSING",
            "The secret of this webhook is empty.",
            status=500,
            suggestion="Set the workspace variable that the step names.",
        )
    why = ""
    for secret in usable:
        try:
            return check(secret, headers, body, now)
        except _Wrong as wrong:
            why = str(wrong)
    raise Problem("UNAUTHORIZED", f"This webhook is not signed as it should be: {why}.")


def _standard(secret: str, headers: Headers, body: bytes, now: float) -> Signed:
    # Svix, where the standard comes from, sends its own names.
    given = {
        f"webhook-{name}": headers.get(f"webhook-{name}") or headers.get(f"svix-{name}") or ""
        for name in ("id", "timestamp", "signature")
    }
    _needs(given, *given)
    try:
        Webhook(secret).verify(body, given, json_parse=False)
    except WebhookVerificationError as error:
        raise _Wrong(str(error).lower()) from None
    except ValueError:
        # Base64 or UTF-8 that is none, and signatures without a version.
        raise _Wrong("the secret, the signature or the body cannot be read") from None
    return Signed(given["webhook-id"], None, _moment(float(given["webhook-timestamp"])))


def _stripe(secret: str, headers: Headers, body: bytes, now: float) -> Signed:
    """https://docs.stripe.com/webhooks#verify-manually"""
    _needs(headers, "stripe-signature")
    parts = [part.strip().partition("=") for part in headers["stripe-signature"].split(",")]
    stamp = next((value for name, _, value in parts if name == "t"), "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise _Wrong("Stripe-Signature has no time")
    expected = _hmac(secret, stamp.encode() + b"." + body)
    if not _one_matches(expected, (value for name, _, value in parts if name == "v1")):
        raise _Wrong("no signature matches")
    if abs(now - int(stamp)) > TOLERANCE_SECONDS:
        raise _Wrong(f"it was signed more than {TOLERANCE_SECONDS} seconds away from now")
    return Signed(sent_at=_moment(float(stamp)))


def _github(secret: str, headers: Headers, body: bytes, now: float) -> Signed:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries; it signs no time."""
    _needs(headers, "x-hub-signature-256")
    given = headers["x-hub-signature-256"].removeprefix("sha256=")
    if not _one_matches(_hmac(secret, body), [given]):
        raise _Wrong("the signature does not match")
    return Signed(headers.get("x-github-delivery"), headers.get("x-github-event"))


SCHEMES: Mapping[str, Callable[[str, Headers, bytes, float], Signed]] = {
    "standard": _standard,
    "stripe": _stripe,
    "github": _github,
}


def _needs(headers: Headers, *names: str) -> None:
    missing = [name for name in names if not headers.get(name)]
    if missing:
        raise _Wrong(f"the header {missing[0]} is missing")


def _hmac(secret: str, data: bytes) -> bytes:
    return hmac.new(secret.encode(), data, hashlib.sha256).hexdigest().encode()


def _one_matches(expected: bytes, given: Any) -> bool:
    found = [hmac.compare_digest(expected, one.encode("utf-8", "replace")) for one in given]
    return any(found)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _read(body: bytes, content_type: str) -> Any:
    """JSON, or the JSON in the form field `payload` (GitHub's other way), or the form."""
    if not is_form(content_type):
        return parse_json(body) if body else None
    fields = parse_pairs(body.decode("utf-8", "replace"))
    payload = fields.get("payload")
    return parse_json(payload.encode()) if isinstance(payload, str) and len(fields) == 1 else fields


def _text(value: Any) -> str | None:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)[:200]
    return None
