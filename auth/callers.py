"""Who may call an endpoint: its auth methods as one question, made once per published endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stackyard.core.errors import Problem
from stackyard.core.principal import ANONYMOUS, Principal

from .methods import AuthMethod, bearer_of


class Callers:
    """The methods of an endpoint, any one of which suffices (contract §3).

    With `public` among them the others are optional: no credentials is anonymous, wrong ones are refused.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.is_open = "public" in names
        self._methods = [AuthMethod.get(name)() for name in names if name != "public"]
        self._challenge = ", ".join(dict.fromkeys(m.challenge for m in self._methods if m.challenge))

    def identify(
        self, headers: Mapping[str, str], workspace_id: int, group_name: str, endpoint_name: str, reads: bool
    ) -> Principal:
        """Who calls. `headers` are the WSGI environment. Problem 401 (with `WWW-Authenticate`) or 403."""
        try:
            for method in self._methods:
                principal = method.authenticate(headers, workspace_id, group_name, endpoint_name, reads)
                if principal is not None:
                    return principal
            if self.is_open and (not self._methods or bearer_of(headers) is None):
                return ANONYMOUS
            raise self._unknown(headers)
        except Problem as problem:
            if problem.status == 401 and self._challenge:
                problem.headers.setdefault("WWW-Authenticate", self._challenge)
            raise

    def _unknown(self, headers: Mapping[str, str]) -> Problem:
        if bearer_of(headers) is not None:
            return Problem("UNAUTHORIZED", "The bearer token is of no kind that this endpoint accepts.")
        ways = " or ".join(method.sentence for method in self._methods)
        hints = " Or ".join(method.hint for method in self._methods)
        return Problem("UNAUTHORIZED", f"This endpoint is for {ways}.", suggestion=hints)
