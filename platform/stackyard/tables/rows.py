"""From the driver's rows to records: dictionaries by field name, in run-time values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .definitions import FieldDef


class RowLoader:
    """Makes records of rows that begin with the columns of `fields`; what follows in a row is left out."""

    __slots__ = ("_conversions", "_names")

    def __init__(self, fields: Sequence[FieldDef], dialect: str) -> None:
        self._names = tuple(field.name for field in fields)
        loaders = [(field.name, field.type.loader(dialect)) for field in fields]
        self._conversions = tuple((name, loader) for name, loader in loaders if loader is not None)

    def load(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """One record a row."""
        names = self._names
        records = [dict(zip(names, row, strict=False)) for row in rows]
        for name, loader in self._conversions:
            for record in records:
                raw = record[name]
                if raw is not None:
                    record[name] = loader(raw)
        return records
