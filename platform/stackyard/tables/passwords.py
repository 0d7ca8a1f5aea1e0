"""Checking a password against the hash that a record holds: the one thing that can be done with it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from stackyard.core.errors import Detail, did_you_mean, invalid_input

from . import writing
from .definitions import FieldDef, TableDef
from .types.password import PasswordType, verified

if TYPE_CHECKING:
    from .store import Store


def verify(store: Store, table: TableDef, value: Any, password: Any, field: str | None, by: str) -> bool:
    """Whether the record whose field `by` holds the value has this password; False, as slowly, when there is none.

    A hash of an older kind than today's is replaced in passing. Problem `INVALID_INPUT` when the table has no
    such password field, or `by` does not tell one record.
    """
    from .store import bound_key

    chosen = password_field(table, field)
    found = store.key_field(table, by)
    key = bound_key(found, value, store.schema.dialect)
    id_ = table.fields["id"]
    rows = (
        []
        if key is None
        else store.execute(writing.lookup(store.schema, table, found, (id_, chosen)), {"key": key})
    )
    number, held = rows[0] if rows else (None, None)
    fits, is_old = verified(password, held)
    if fits and is_old:
        renew = writing.update(store.schema, table, (chosen.column,), (), id_)
        store.execute(renew, {chosen.column: chosen.type.bind(password, store.schema.dialect), "key": number})
    return fits


def mark_of(store: Store, table: TableDef, number: int) -> str:
    """Sixteen characters that change when the passwords of a record do, and tell nothing of them; "" without a record."""
    id_ = table.fields["id"]
    chosen = tuple(f for f in table.own_fields if isinstance(f.type, PasswordType))
    rows = store.execute(writing.lookup(store.schema, table, id_, (id_, *chosen)), {"key": number})
    return hashlib.sha256(repr(rows[0][1:]).encode()).hexdigest()[:16] if rows else ""


def password_field(table: TableDef, name: str | None) -> FieldDef:
    """The password field of that name, or the only one."""
    known = {f.name: f for f in table.own_fields if isinstance(f.type, PasswordType)}
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name in known:
        return known[name]
    if name is None:
        message = f"{table.name} has {'several password fields: name one' if known else 'no password field'}"
    else:
        message = f'{table.name} has no password field "{name}".{did_you_mean(name, known)}'
    raise invalid_input([Detail("password_field", "unknown_field", message)])
