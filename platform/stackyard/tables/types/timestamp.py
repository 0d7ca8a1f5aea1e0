"""Instants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from stackyard.core.jsonout import iso, milliseconds
from stackyard.core.types import TIMESTAMP, Type
from stackyard.tables.field_type import ORDER, Convert, FieldType, refuse, unexpected

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
FIRST = milliseconds(datetime(1, 1, 1, tzinfo=UTC))
LAST = milliseconds(datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC))
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?\Z", re.ASCII
)
_DIGITS = re.compile(r"-?\d{1,15}\Z", re.ASCII)


def instant(value: int) -> datetime:
    """The instant so many milliseconds after 1970 began."""
    # Multiplying is exact, and a third of the price of making a timedelta.
    return EPOCH + value * _MILLISECOND


def now() -> datetime:
    """This instant, in whole milliseconds."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class TimestampType(FieldType):
    """An instant, in milliseconds. JSON takes ISO 8601 with a zone, or milliseconds since 1970."""

    name = "timestamp"
    label = "Timestamp"
    group = "dates"
    icon = "clock"
    operators = ORDER
    plain_in_json = False
    default_words = {"now": now}
    examples = (("2026-01-23T11:00:00.123+01:00", datetime(2026, 1, 23, 10, 0, 0, 123000, tzinfo=UTC)),)

    def parse(self, value: Any, lenient: bool = False) -> datetime:
        """An instant in UTC and whole milliseconds (finer parts are left out), years 1 to 9999."""
        if isinstance(value, datetime):
            return _whole(value)
        if isinstance(value, str):
            if lenient and _DIGITS.match(value):
                return self.parse(int(value))
            return _from_iso(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            raise unexpected("a timestamp such as 2026-01-23T10:00:00Z", value)
        if not FIRST <= value <= LAST:
            raise refuse("range", "must be within the years 1 to 9999, in milliseconds since 1970")
        return instant(int(value // 1))

    @property
    def value_type(self) -> Type:
        """timestamp"""
        return TIMESTAMP

    def column(self, dialect: str) -> str:
        """Milliseconds since 1970 on both: exact, one order, no zone."""
        return "INTEGER" if dialect == "sqlite" else "bigint"

    def binder(self, dialect: str) -> Convert | None:
        """To milliseconds since 1970."""
        return milliseconds

    def loader(self, dialect: str) -> Convert | None:
        """From milliseconds since 1970."""
        return instant

    def bind_cells(self, cells: Sequence[str], dialect: str) -> list[Any] | None:
        """ISO 8601 with a zone."""
        if not all(map(_ISO.match, cells)):
            return None
        read = datetime.fromisoformat
        try:
            moments = [(read(cell) - EPOCH) // _MILLISECOND for cell in cells]
        except (ValueError, TypeError):
            # A day that is none; no zone.
            return None
        return moments if min(moments) >= FIRST and max(moments) <= LAST else None

    def to_json(self, value: datetime) -> str:
        """ISO 8601 in UTC with milliseconds: its order as text is its order in time."""
        return iso(value)

    def from_json(self, value: str) -> datetime:
        """From what `to_json` left."""
        return datetime.fromisoformat(value)


def _whole(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise refuse("type", "expected a timestamp with a time zone")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise refuse("range", "must be within the years 1 to 9999") from None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _from_iso(text: str) -> datetime:
    text = text.strip()
    if _ISO.match(text) is None:
        raise unexpected("a timestamp such as 2026-01-23T10:00:00Z", text)
    try:
        moment = datetime.fromisoformat(text.upper().replace(",", "."))
    except ValueError:
        raise unexpected("a timestamp that exists", text) from None
    if moment.tzinfo is None:
        raise refuse("type", f'expected a timestamp with a time zone, such as {text}Z, got "{text}"')
    return _whole(moment)
