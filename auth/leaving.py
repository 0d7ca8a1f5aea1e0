"""A record that goes, or gets another password, takes its sign-ins with it, whichever way it is changed."""

from __future__ import annotations

from typing import Any

from stackyard.tables.definitions import TableDef
from stackyard.tables.schema import load_schema
from stackyard.tables.watching import DELETE, listen

from .families import end_all
from .holders import is_auth_enabled
from .tokens import Holder


class _Leaving:
    """Watches the tables whose records can log in."""

    def watches(self, workspace_id: int) -> frozenset[int]:
        """The auth-enabled tables, found once a version."""
        schema = load_schema(workspace_id)
        found: frozenset[int] = schema.statements.make(
            ("auth-enabled",),
            lambda: frozenset(table.id for table in schema.tables.values() if is_auth_enabled(table)),
        )
        return found

    def changed(
        self,
        workspace_id: int,
        table: TableDef,
        action: str,
        old: dict[str, Any] | None,
        new: dict[str, Any] | None,
    ) -> None:
        """End the sign-ins of a record that is deleted."""
        if action == DELETE and old is not None:
            end_all(Holder(workspace_id, table.id, old["id"]), "the record was deleted")


listen(_Leaving())
