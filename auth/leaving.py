"""A record that goes, or gets another password, takes its sign-ins with it, whichever way it is changed; another e-mail address ends its one-time tokens."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from stackyard.tables.definitions import Schema, TableDef
from stackyard.tables.passwords import mark_of
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from stackyard.tables.test_data import replaced
from stackyard.tables.watching import DELETE, EDIT, listen

from . import one_time
from .families import end, end_all, end_older, live
from .holders import is_auth_enabled
from .models import TokenFamily, User
from .oauth.ending import end_holder, holds_any
from .oauth.ending import end_older as end_older_consents
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
        schema: Schema,
        table: TableDef,
        action: str,
        old: dict[str, Any] | None,
        new: dict[str, Any] | None,
    ) -> None:
        """End the sign-ins of a record that is deleted, or has got another password."""
        if action == DELETE and old is not None:
            holder = Holder.of(schema, table, old["id"])
            end_all(holder, "the record was deleted")
            end_holder(holder)
        elif action == EDIT and new is not None:
            holder = Holder.of(schema, table, new["id"])
            if old is not None and _addresses(table, old) != _addresses(table, new):
                # What was sent to the old address proves nothing of the new one.
                one_time.end_all(holder)
            has_consented = holds_any(holder)
            if has_consented or live(holder).exists():
                mark = mark_of(Store(schema), table, holder.record_id)
                end_older(holder, mark)
                if has_consented:
                    end_older_consents(holder, mark)


def _addresses(table: TableDef, record: dict[str, Any]) -> list[Any]:
    return [record.get(field.name) for field in table.own_fields if field.type.name == "email"]


listen(_Leaving())


@receiver(replaced, dispatch_uid="auth.leaving")
def _end_test_sign_ins(workspace_id: int, **_: Any) -> None:
    """Who was signed in as a test record is nobody now, or somebody else."""
    accounts = User.objects.filter(workspace_id=workspace_id, table_id__lt=0)
    end(TokenFamily.objects.filter(account__in=accounts), "the test data was replaced")
