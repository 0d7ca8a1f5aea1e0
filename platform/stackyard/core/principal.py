"""Who calls: the one object that authentication makes and everything below reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller.

    `kind`: `anonymous`, `api_key`, `user` (a record of an auth-enabled table), `builder` (a person of
    the console) or `system`. `id` is the key's, record's or account's id. `scopes` are the contract's
    (`*`, `GROUP`, `GROUP:read`, `GROUP/ENDPOINT`, `meta`). `session` is the sign-in that a user's token belongs to,
    `data_source` the only one that the caller may work on (None: it is not said).
    `roles` of a builder: the workspaces as (id, role) where he has one; the scope `*` stands for all of them.
    """

    kind: str
    id: int | str | None = None
    workspace_id: int | None = None
    scopes: frozenset[str] = frozenset()
    table: str | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    session: str | None = None
    data_source: str | None = None
    roles: tuple[tuple[int, str], ...] = ()

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody was identified."""
        return self.kind == "anonymous"

    def role_in(self, workspace_id: int) -> str | None:
        """A builder's role in a workspace: `owner`, `builder`, `viewer`; None where it is not his."""
        return "owner" if "*" in self.scopes else dict(self.roles).get(workspace_id)

    def as_value(self) -> dict[str, Any]:
        """What a stack sees as `auth`."""
        return {"id": self.id, "kind": self.kind, "table": self.table, "extras": dict(self.extras)}


ANONYMOUS = Principal("anonymous")
SYSTEM = Principal("system", scopes=frozenset({"*"}))
