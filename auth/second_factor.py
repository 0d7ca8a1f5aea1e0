"""The second factor of a person's sign-in: codes by time (TOTP, RFC 6238), and recovery codes for when the phone is gone.

A code is good in its own 30 seconds and the 30 before and after, for clocks that differ, and once: the newest time step
used is kept, and only a later one is taken (RFC 6238 §5.2). Recovery codes are 50 random bits each, kept as digests.
"""

from __future__ import annotations

import hmac
import secrets
import time
from datetime import UTC, datetime

import pyotp
import segno
from django.db import transaction

from stackyard.core.errors import Problem
from stackyard.core.secrets import decrypt, digest, encrypt

from .models import SecondFactor, User

_STEP_SECONDS = 30
_STEPS_AROUND = 1
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def is_on(account: User) -> bool:
    """Whether the account has to prove itself with a code."""
    return SecondFactor.objects.filter(user_id=account.pk).exclude(confirmed_at=None).exists()


def begin(account: User) -> str:
    """A new secret (base32), which holds from `confirm` on; the same one until then. Problem `CONFLICT` when one is on."""
    with transaction.atomic():
        kept, _is_new = SecondFactor.objects.select_for_update().get_or_create(
            user=account, defaults={"stored_secret": encrypt(pyotp.random_base32(32))}
        )
    if kept.confirmed_at is not None:
        raise Problem("CONFLICT", "Two-factor sign-in is on already.")
    return decrypt(kept.stored_secret).reveal()


def address_of(account: User, secret: str) -> str:
    """The `otpauth://` address that authenticator apps take."""
    return pyotp.TOTP(secret).provisioning_uri(name=str(account), issuer_name="Stackyard")


def picture_of(address: str) -> str:
    """The address as a QR code: the `data:` address of an SVG, black on white in both themes, since cameras want it so."""
    return segno.make(address, error="m").svg_data_uri(scale=5, border=4, light="#fff", dark="#000")


def confirm(account: User, code: str) -> list[str]:
    """Turn it on with a first good code; the recovery codes, which nobody can see again. Problem `INVALID_INPUT`."""
    with transaction.atomic():
        kept = SecondFactor.objects.select_for_update().filter(user=account, confirmed_at=None).first()
        step = _step_of(kept, code) if kept is not None else None
        if kept is None or step is None:
            raise Problem(
                "INVALID_INPUT", "This is not the code of now.", suggestion="Check the clock of your phone."
            )
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        kept.last_step, kept.confirmed_at = step, datetime.now(UTC)
        kept.recovery_digests = [digest(_plain(one)) for one in codes]
        kept.save()
    return codes


def proves(account: User, code: str) -> bool:
    """Whether a code is good now, of either kind; a good one is used up."""
    with transaction.atomic():
        kept = (
            SecondFactor.objects.select_for_update().filter(user=account).exclude(confirmed_at=None).first()
        )
        if kept is None:
            return False
        step = _step_of(kept, code)
        if step is not None:
            kept.last_step = step
            kept.save(update_fields=["last_step"])
            return True
        used = digest(_plain(code))
        left = [one for one in kept.recovery_digests if not hmac.compare_digest(one, used)]
        if len(left) == len(kept.recovery_digests):
            return False
        kept.recovery_digests = left
        kept.save(update_fields=["recovery_digests"])
        return True


def turn_off(account: User) -> None:
    """Sign in by password alone again: asked for by the account itself, or by an owner when phone and codes are lost."""
    for kept in SecondFactor.objects.filter(user=account):
        kept.delete()


def _step_of(kept: SecondFactor, code: str) -> int | None:
    """The time step whose code this is, newer than the last one used."""
    typed = _plain(code)
    now, codes = int(time.time()) // _STEP_SECONDS, pyotp.TOTP(decrypt(kept.stored_secret).reveal())
    for step in range(now - _STEPS_AROUND, now + _STEPS_AROUND + 1):
        is_right = hmac.compare_digest(codes.at(step * _STEP_SECONDS).encode(), typed.encode())
        if is_right and step > kept.last_step:
            return step
    return None


def _recovery_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def _plain(code: str) -> str:
    """As it was meant: blanks and hyphens are for the eye."""
    return code.replace(" ", "").replace("-", "").lower()[:64]
