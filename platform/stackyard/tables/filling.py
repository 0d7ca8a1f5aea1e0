"""Filling records that were there before a field was required."""

from __future__ import annotations

from django.db import connection, transaction

from . import ddl
from .field_type import FieldType
from .models import Field

BATCH = 2_000


def fill_default(field: Field) -> None:
    """Put the field's default where nothing is, in batches by id, so that no lock is held long."""
    table = field.table
    last = ddl.last_id(table)
    for first in range(1, last + 1, BATCH):
        with transaction.atomic():
            _fill(field, first, min(first + BATCH - 1, last))


def _fill(field: Field, first: int, last: int) -> None:
    kind = FieldType.get(field.type)(field.options)
    word = kind.default_words.get(field.default) if isinstance(field.default, str) else None
    dialect = connection.vendor
    if word is None:
        ddl.fill(field.table, field, kind.bind(kind.parse(field.default), dialect), first, last)
    elif field.type == "uuid":
        for record in ddl.empty_ids(field.table, field, first, last):
            ddl.fill(field.table, field, word(), record, record)
    else:
        ddl.fill(field.table, field, kind.bind(word(), dialect), first, last)
