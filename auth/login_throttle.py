"""How often a password may be tried: per record and per address, counted where every process sees it.

Only failures count. Who tries one record from many addresses is stopped by the record's count, who tries many
records from one address by the address's (OWASP Authentication Cheat Sheet, "Account lockout").
"""

from __future__ import annotations

from stackyard.core import cache
from stackyard.core.client_address import counted_as
from stackyard.core.errors import Problem
from stackyard.core.limits import LOGIN_FAILURES, LOGIN_FAILURES_OF_ADDRESS, LOGIN_SECONDS
from stackyard.core.secrets import digest

from .tokens import Holder

# No workspace has this id.
_CONSOLE = 2**62


class Tries:
    """The failures of one subject (a record, a person) and of one address; None where nobody called over HTTP."""

    def __init__(self, holder: Holder, address: str | None, name: str | None = None) -> None:
        """`name` is what was typed to find the record: it is counted where nobody was found (record 0).

        So the eleventh try is refused for every name, and does not tell which ones are there.
        """
        subject = holder.subject
        if not holder.record_id and name is not None:
            subject = f"{subject}:{_of_name(name)}"
        self._count(holder.workspace_id, subject, address)

    @classmethod
    def of_console(cls, email: str, address: str | None, what: str = "password") -> Tries:
        """The failures at the console's own door: `what` is `password` or `code`, counted apart."""
        made = cls.__new__(cls)
        made._count(_CONSOLE, f"{what}:{_of_name(email)}", address)
        return made

    def _count(self, workspace_id: int, subject: str, address: str | None) -> None:
        # Stacks can reach the cache of their workspace, never this one: no workspace has an id below zero.
        self._workspace_id = -workspace_id
        self._counts = [(f"login:{subject}", LOGIN_FAILURES.default)]
        if address:
            self._counts.append((f"login-from:{counted_as(address)}", LOGIN_FAILURES_OF_ADDRESS.default))

    def check(self) -> None:
        """Problem `TOO_MANY_REQUESTS` when one of the counts is full."""
        for key, most in self._counts:
            count = cache.get(self._workspace_id, key)
            if isinstance(count, int) and count >= most:
                raise Problem(
                    "TOO_MANY_REQUESTS",
                    "Too many wrong passwords.",
                    suggestion=f"Try again in {LOGIN_SECONDS.default // 60} minutes, or reset the password.",
                    headers={"Retry-After": str(LOGIN_SECONDS.default)},
                )

    def failed(self) -> None:
        """Count a failure."""
        for key, _ in self._counts:
            cache.increment(self._workspace_id, key, 1, LOGIN_SECONDS.default)

    def succeeded(self) -> None:
        """Forget the record's failures; the address keeps its own."""
        cache.delete(self._workspace_id, self._counts[0][0])


def _of_name(name: str) -> str:
    return digest(name.strip().lower())
