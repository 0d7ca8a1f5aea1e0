"""The ways to say who calls: a family with one file a kind.

An endpoint lists its methods and any one suffices (contract §3). The methods are asked in the order of
the list with `public` last; the first that finds its own credentials decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from stackyard.core.kinds import Kind
from stackyard.core.principal import Principal


class AuthMethod(Kind, family="auth method"):
    """A way to say who calls."""

    challenge: ClassVar[str] = ""
    """The `WWW-Authenticate` value of a 401 that asks for this method."""
    hint: ClassVar[str] = ""
    """What a caller without credentials should send."""
    security_scheme: ClassVar[Mapping[str, Any]] = {}
    """The OpenAPI security scheme; empty when nothing is asked."""

    @classmethod
    def scheme_of(cls, group: str) -> Mapping[str, Any]:
        """The OpenAPI security scheme in the description of a group."""
        return cls.security_scheme

    @classmethod
    def scopes_for(cls, group: str, reads: bool) -> Sequence[str]:
        """The scopes that a call of an endpoint of a group asks for, as OpenAPI names them."""
        return ()

    def authenticate(
        self, headers: Mapping[str, str], workspace_id: int, group_name: str, endpoint_name: str, reads: bool
    ) -> Principal | None:
        """Who calls, or None when the headers carry nothing for this method.

        `headers` are the WSGI environment (`HTTP_X_API_KEY` …). `reads` is true for GET and HEAD. Problem
        `UNAUTHORIZED` when the credentials are wrong, `ACCESS_DENIED` when they are right but not enough.
        """
        raise NotImplementedError


def bearer_of(headers: Mapping[str, str]) -> str | None:
    """The token of `Authorization: Bearer …` (RFC 6750 §2.1) in a WSGI environment, or None."""
    given = headers.get("HTTP_AUTHORIZATION")
    if given is None or given[:7].lower() != "bearer ":
        return None
    return given[7:].strip()
