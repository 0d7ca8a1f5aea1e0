"""Filling records that were there before a field was required."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from . import ddl
from .field_type import FieldType
from .models import Field

BATCH = 2_000


def one_for_all(field: Field) -> Any:
    """The field's default, bound, where all records may hold the same; None where each needs its own (uuid)."""
    kind = FieldType.get(field.type)(field.options)
    word = kind.default_words.get(field.default) if isinstance(field.default, str) else None
    if word is not None and field.type == "uuid":
        return None
    return kind.bind(kind.parse(field.default) if word is None else word(), connection.vendor)


def fill_default(field: Field) -> None:
    """Put the field's default where nothing is, in batches by id, so that no lock is held long."""
    value, last = one_for_all(field), ddl.last_id(field.table)
    for first in range(1, last + 1, BATCH):
        with transaction.atomic():
            _fill(field, value, first, min(first + BATCH - 1, last))


def _fill(field: Field, value: Any, first: int, last: int) -> None:
    if value is not None:
        ddl.fill(field.table, field, value, first, last)
        return
    make = FieldType.get(field.type).default_words[field.default]
    for record in ddl.empty_ids(field.table, field, first, last):
        ddl.fill(field.table, field, make(), record, record)
