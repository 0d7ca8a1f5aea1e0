"""Who holds a token, as the principal that stacks see; and which tables have people who can log in."""

from __future__ import annotations

import time

from stackyard.core import version
from stackyard.core.errors import Problem
from stackyard.core.principal import Principal
from stackyard.tables.definitions import TableDef
from stackyard.tables.schema import load_schema

from . import tokens
from .families import verify
from .tokens import Claims

_KEPT = 20_000
PASSWORD = "password"
"""The field type that makes a table auth-enabled."""

_held: version.Current[dict[tuple[int, str], tuple[int, Principal]]] = version.Current(dict)


def is_auth_enabled(table: TableDef) -> bool:
    """Whether the records of a table can log in: it has a field of type password."""
    return any(field.type.name == PASSWORD for field in table.own_fields)


def password_field(table: TableDef) -> str:
    """The name of a table's password field. Problem `INVALID_INPUT` when it has none."""
    for field in table.own_fields:
        if field.type.name == PASSWORD:
            return field.name
    raise Problem(
        "INVALID_INPUT",
        f"The records of {table.name} cannot log in: it has no field of type password.",
        suggestion="Add a field of type password to the table.",
    )


def holder_of(access_token: str, workspace_id: int) -> Principal:
    """Who holds an access token. Problem `UNAUTHORIZED` for one that is not good now.

    A token that was verified is remembered until the version moves: a look costs a fraction of a signature.
    """
    held = _held.get()
    found = held.get((workspace_id, access_token))
    if found is None:
        claims = verify(access_token, workspace_id)
        found = (claims.expires_at, principal_of(claims))
        if len(held) >= _KEPT:
            held.clear()
        held[workspace_id, access_token] = found
    elif found[0] <= time.time():
        raise tokens.refused()
    return found[1]


def principal_of(claims: Claims) -> Principal:
    """The principal of verified claims. Problem `UNAUTHORIZED` when the table is gone or takes no logins any more."""
    holder = claims.holder
    table = load_schema(holder.workspace_id).tables_by_id.get(abs(holder.table_id))
    if table is None or not is_auth_enabled(table):
        raise tokens.refused()
    return Principal(
        "user",
        holder.record_id,
        holder.workspace_id,
        table=table.name,
        extras=claims.extras,
        label=f"{table.name} {holder.record_id}",
        session=claims.family,
        data_source=holder.source,
    )
