"""Anybody may call."""

from __future__ import annotations

from collections.abc import Mapping

from stackyard.core.principal import ANONYMOUS, Principal

from . import AuthMethod


class Public(AuthMethod):
    """No credentials are needed. Beside another method it makes that one optional."""

    name = "public"
    label = "Public"
    icon = "globe"
    sentence = "anybody"

    def authenticate(
        self, headers: Mapping[str, str], workspace_id: int, group_name: str, endpoint_name: str, reads: bool
    ) -> Principal | None:
        """Nobody in particular."""
        return ANONYMOUS
