"""Cursors: where a page ended, as signed text that only the same query takes back.

The text holds a fingerprint of the query (table, conditions with their values, order) and the last
record's sort values. The next page begins after them (keyset paging), at the same price at any depth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from django.conf import settings
from django.core.signing import BadSignature, Signer

from stackyard.core.errors import Detail, invalid_input

from .definitions import FieldDef
from .sorting import Sort
from .sql import Element, TableSql, value

_SALT = "stackyard.tables.cursor"


@lru_cache(maxsize=2)
def _signer(key: str) -> Signer:
    """Made once a key: making one costs as much as signing."""
    return Signer(key=key, salt=_SALT)


def fingerprint(*parts: Any) -> str:
    """16 characters that stand for a query."""
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def next_cursor(query: str, sort: Sort, raw: Sequence[Any], dialect: str) -> str:
    """The cursor after a record whose sort columns hold `raw`."""
    last = [_as_json(f, value, dialect) for (f, _), value in zip(sort.parts, raw, strict=True)]
    return _signer(settings.SECRET_KEY).sign_object([query, last])


def _as_json(field: FieldDef, raw: Any, dialect: str) -> Any:
    value = field.type.load(raw, dialect)
    value = None if value is None else field.type.to_json(value)
    return str(value) if isinstance(value, Decimal) else value


def read_cursor(text: str, query: str, sort: Sort, dialect: str) -> list[Any]:
    """The sort values that a cursor holds, bound. Problem `INVALID_INPUT` for any text but a cursor of this query."""
    try:
        made_for, last = _signer(settings.SECRET_KEY).unsign_object(text)
    except (BadSignature, ValueError, TypeError):
        raise _refusal("is not a cursor") from None
    if made_for != query:
        raise _refusal("is a cursor of another query: conditions and sort must stay the same")
    return [
        None if value is None else field.type.bind(field.type.from_json(value), dialect)
        for (field, _), value in zip(sort.parts, last, strict=True)
    ]


def _refusal(message: str) -> Exception:
    return invalid_input([Detail("cursor", "cursor", message)])


def after(table: TableSql, sort: Sort, nulls: Sequence[bool]) -> Element:
    """The condition of everything after a position whose values are the binds `k0`, `k1` …

    `nulls` says which of those are null; null comes before every value. Where one direction and no null
    is at stake it is one row comparison, which an index can serve; else it is spelt out.
    """
    columns = [table.column(f) for f, _ in sort.parts]
    binds = [value(f"k{n}", column.type) for n, column in enumerate(columns)]
    directions = {down for _, down in sort.parts}
    can_meet_null = any(down and not f.never_null for f, down in sort.parts)
    if len(directions) == 1 and not any(nulls) and not can_meet_null:
        here, there = sa.tuple_(*columns), sa.tuple_(*binds)
        return here < there if directions == {True} else here > there
    ways = []
    for n in range(len(columns)):
        equal = [_same(columns[m], binds[m], nulls[m]) for m in range(n)]
        ways.append(sa.and_(sa.true(), *equal, _beyond(sort.parts[n], columns[n], binds[n], nulls[n])))
    return sa.or_(sa.false(), *ways)


def _same(column: Element, bind: Element, is_null: bool) -> Element:
    return column.is_(None) if is_null else column == bind


def _beyond(part: tuple[FieldDef, bool], column: Element, bind: Element, is_null: bool) -> Element:
    field, down = part
    if not down:
        return column.is_not(None) if is_null else column > bind
    if is_null:
        return sa.false()
    return column < bind if field.never_null else sa.or_(column < bind, column.is_(None))
