"""Scopes of applications: GROUP, GROUP:read and GROUP/ENDPOINT as keys have them, and those of OpenID Connect.

Never `*` or `meta`: what a program of somebody else may do is named (RFC 9700 §2.3).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from oauth2_provider.scopes import BaseScopes

from stackyard.core.errors import Detail, invalid_input

IDENTITY = ("openid", "email")
"""Scopes that open no endpoint: they tell the application who somebody is."""
_FORM = re.compile(r"[a-z][a-z0-9_-]{0,62}(:read|/[A-Za-z_][A-Za-z0-9_]{0,62})?\Z")


def check_scopes(scopes: Iterable[str]) -> list[str]:
    """The scopes as they are stored. Problem `INVALID_INPUT` with every one that has no known form."""
    known = list(dict.fromkeys(scopes))
    wrong = [
        scope for scope in known if not isinstance(scope, str) or scope == "meta" or not _FORM.match(scope)
    ]
    if wrong or not known:
        rule = "use GROUP, GROUP:read, GROUP/ENDPOINT, openid or email"
        raise invalid_input([Detail("scopes", "scope", f'"{scope}": {rule}') for scope in wrong or [""]])
    return known


def covers(granted: Collection[str], scope: str) -> bool:
    """Whether a scope is one of those granted, or part of one: `shop` covers `shop:read` and `shop/orders`."""
    part = _FORM.match(scope)
    return scope in granted or (
        part is not None and part[1] is not None and scope[: part.start(1)] in granted
    )


def common(some: Collection[str], others: Collection[str]) -> frozenset[str]:
    """What two sets of scopes both cover."""
    return frozenset(
        [*(one for one in some if covers(others, one)), *(one for one in others if covers(some, one))]
    )


def opens(scopes: Collection[str], group: str, endpoint: str, reads: bool) -> bool:
    """Whether scopes cover a call of an endpoint; `reads` for GET and HEAD."""
    if group in IDENTITY:
        # A group may be named so, but who consented read another sentence.
        return False
    return group in scopes or (reads and f"{group}:read" in scopes) or f"{group}/{endpoint}" in scopes


def sentence(scope: str) -> str:
    """A scope in words, for the person who is asked."""
    if scope == "openid":
        return _("Know who you are")
    if scope == "email":
        return _("See your e-mail address")
    if scope.endswith(":read"):
        return _("Read what you can read in {group}").format(group=scope[:-5])
    if "/" in scope:
        group, endpoint = scope.split("/", 1)
        return _("Use {endpoint} in {group} for you").format(endpoint=endpoint, group=group)
    return _("Read and change what you can in {group}").format(group=scope)


class _Sentences(Mapping[str, str]):
    """Every scope there may be, with its sentence."""

    def __getitem__(self, scope: str) -> str:
        return sentence(scope)

    def __iter__(self) -> Iterator[str]:
        return iter(IDENTITY)

    def __len__(self) -> int:
        return len(IDENTITY)


class WorkspaceScopes(BaseScopes):
    """What django-oauth-toolkit asks about scopes."""

    def get_all_scopes(self) -> Mapping[str, str]:
        """All scopes by their sentences."""
        return _Sentences()

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        """What an application may ask for; what the metadata says of any (groups are nobody's business there)."""
        return list(application.scopes) if application is not None else list(IDENTITY)

    def get_default_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        """What an application that names none asks for: all that it may."""
        return list(application.scopes) if application is not None else []
