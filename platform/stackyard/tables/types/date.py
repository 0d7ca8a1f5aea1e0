"""Days."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from stackyard.core.types import DATE, Type
from stackyard.tables.field_type import ORDER, Convert, FieldType, unexpected

_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)


class DateType(FieldType):
    """A day without a time, written YYYY-MM-DD."""

    name = "date"
    label = "Date"
    group = "dates"
    icon = "calendar"
    operators = ORDER
    examples = (("2026-01-23", "2026-01-23"),)

    def parse(self, value: Any, lenient: bool = False) -> str:
        """A day that exists."""
        if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
        text = value.strip() if lenient and isinstance(value, str) else value
        if not isinstance(text, str) or _DAY.match(text) is None:
            raise unexpected("a date such as 2026-01-23", value)
        try:
            date.fromisoformat(text)
        except ValueError:
            raise unexpected("a date that exists", value) from None
        return text

    @property
    def value_type(self) -> Type:
        """date"""
        return DATE

    def column(self, dialect: str) -> str:
        """A date; on SQLite its text, whose order is the same."""
        return "TEXT" if dialect == "sqlite" else "date"

    def loader(self, dialect: str) -> Convert | None:
        """From the driver's date on PostgreSQL."""
        return None if dialect == "sqlite" else date.isoformat

    def bind_cells(self, cells: Sequence[str], dialect: str) -> list[Any] | None:
        """Days that exist."""
        if not all(map(_DAY.match, cells)):
            return None
        try:
            for day in set(cells):
                date.fromisoformat(day)
        except ValueError:
            return None
        return list(cells)
