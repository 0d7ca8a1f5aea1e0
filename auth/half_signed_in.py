"""Somebody who has shown who they are once, by a password or a provider, and owes the code of their second factor.

Kept in the session, for five minutes; it opens nothing but the page that asks for the code.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import login
from django.http import HttpRequest

from .models import User

_KEY = "waiting_for_code"
# How long the first proof holds before the code has to follow.
_SECONDS = 300
BACKEND = "django.contrib.auth.backends.ModelBackend"
"""Whose accounts the people of the console are."""


@dataclass(frozen=True, slots=True)
class HalfSignedIn:
    """Whose code is awaited, and the address to go on to then."""

    account: User
    next: str


def wait_for_code(request: HttpRequest, account: User, following: str) -> None:
    """Remember that the account owes its code; whoever was signed in here is so no more."""
    request.session.flush()
    request.session[_KEY] = {
        "pk": account.pk,
        "mark": account.get_session_auth_hash(),
        "at": int(time.time()),
        "next": following,
    }


def half_signed_in(request: HttpRequest) -> HalfSignedIn | None:
    """Who owes a code in this browser: not after five minutes, another password, or the end of the account."""
    kept: Any = request.session.get(_KEY)
    if kept is None:
        return None
    account = User.objects.filter(pk=kept["pk"], is_active=True, workspace=None).first()
    is_over = not 0 <= time.time() - kept["at"] <= _SECONDS
    if account is None or is_over or kept["mark"] != account.get_session_auth_hash():
        del request.session[_KEY]
        return None
    return HalfSignedIn(account, kept["next"])


def sign_in_fully(request: HttpRequest, account: User) -> None:
    """Signed in: both steps are done, or there is only one."""
    request.session.pop(_KEY, None)
    login(request, account, backend=BACKEND)
