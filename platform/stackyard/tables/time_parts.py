"""Parts of a timestamp or a day as the clocks of a time zone show them: for groups and computed fields.

Each part is worked out twice, in Python for SQLite and in SQL for PostgreSQL, to the same value. A timestamp
within a day of the first or last one that can be kept has no parts (null), for its local time may be none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from stackyard.core.errors import Faults, Path
from stackyard.core.filters.moments import zone
from stackyard.core.guards import Refusal

from .field_type import FieldType
from .types.timestamp import FIRST, LAST, instant

Element = Any
_DAY = 86_400_000
_LEAST, _MOST = FIRST + _DAY, LAST - _DAY


def _week(day: date) -> date:
    # The first week of all begins before there are dates.
    return date.fromordinal(max(day.toordinal() - day.weekday(), 1))


# The day on which the period began that a local time lies in.
_PERIODS: Mapping[str, Callable[[date], date]] = {
    "year": lambda day: date(day.year, 1, 1),
    "quarter": lambda day: date(day.year, (day.month - 1) // 3 * 3 + 1, 1),
    "month": lambda day: date(day.year, day.month, 1),
    "week": _week,
    "day": lambda day: day,
}
_NUMBERS: Mapping[str, Callable[[Any], int]] = {
    "year_number": lambda local: int(local.year),
    "month_of_year": lambda local: int(local.month),
    "day_of_month": lambda local: int(local.day),
    "day_of_week": lambda local: int(local.isoweekday() % 7),
    "hour_of_day": lambda local: int(local.hour),
    "minute_of_hour": lambda local: int(local.minute),
}
_SQL_NUMBERS = {
    "year_number": "year",
    "month_of_year": "month",
    "day_of_month": "day",
    "day_of_week": "dow",
    "hour_of_day": "hour",
    "minute_of_hour": "minute",
}
PARTS = (*_PERIODS, "hour", *(name for name in _NUMBERS if name != "year_number"))
"""What a group can be made by: the period (as the day or hour it began), or a number that comes again."""
_NEEDS_TIME = ("hour", "hour_of_day", "minute_of_hour")


def part_type(part: str) -> FieldType:
    """The type of a part's values."""
    if part == "hour":
        return FieldType.get("timestamp")()
    return FieldType.get("date" if part in _PERIODS else "int")()


def has_part(type_: FieldType, part: str) -> bool:
    """Whether a field of a type has that part: days have no hours."""
    return type_.name == "timestamp" or (type_.name == "date" and part not in _NEEDS_TIME)


def read_zone(name: Any, faults: Faults, path: Path) -> str:
    """The name of a time zone; UTC, with a fault, when there is none of that name."""
    try:
        return zone(name if isinstance(name, str) else str(name)).key
    except Refusal as refusal:
        faults.error(path, "time_zone", str(refusal))
        return "UTC"


def part_of(value: int | str | None, part: str, zone_name: str) -> int | str | None:
    """The part of a kept value: milliseconds, or the text of a day. As SQLite keeps it."""
    if value is None:
        return None
    local: Any = _local(value, zone_name) if isinstance(value, int) else date.fromisoformat(value)
    if local is None:
        return None
    if part == "hour":
        assert isinstance(value, int)
        gone: int = (local.minute * 60 + local.second) * 1000 + local.microsecond // 1000
        return value - gone
    if part in _PERIODS:
        return _PERIODS[part](local.date() if isinstance(local, datetime) else local).isoformat()
    return _NUMBERS[part](local)


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _local(value: int, zone_name: str) -> datetime | None:
    return instant(value).astimezone(_zone(zone_name)) if _LEAST <= value <= _MOST else None


def part_sql(column: Element, type_: FieldType, part: str, zone_name: str, dialect: str) -> Element:
    """The expression of a part of a column."""
    if dialect == "sqlite":
        made = sa.func.stackyard_part(column, sa.literal(part), sa.literal(zone_name))
        plain: Any = sa.Text() if part in _PERIODS else sa.BigInteger()
        return sa.type_coerce(made, plain)
    local = _local_sql(column, zone_name) if type_.name == "timestamp" else sa.cast(column, sa.TIMESTAMP())
    made = _part_sql(local, part, column)
    if type_.name != "timestamp":
        return made
    return sa.case((column.between(sa.literal(_LEAST), sa.literal(_MOST)), made))


def _part_sql(local: Element, part: str, column: Element) -> Element:
    if part == "hour":
        # What has gone by of the local hour is taken off, so that the two hours of an autumn night stay two.
        gone: Element = sa.extract("epoch", local - sa.func.date_trunc(sa.literal("hour"), local))
        gone = sa.literal_column("1000") * sa.cast(gone, sa.Numeric())
        return column - sa.cast(sa.func.trunc(gone), sa.BigInteger())
    if part in _PERIODS:
        began = sa.cast(sa.func.date_trunc(sa.literal(part), local), sa.Date())
        return sa.func.greatest(began, sa.cast(sa.literal("0001-01-01"), sa.Date()), type_=sa.Date())
    return sa.cast(sa.extract(_SQL_NUMBERS[part], local), sa.BigInteger())


def _local_sql(column: Element, zone_name: str) -> Element:
    """The local time of milliseconds since 1970; days and the rest apart, since an interval's factor is a double."""
    day: Element = sa.literal_column(str(_DAY))
    days = sa.func.floor(sa.cast(column, sa.Numeric()) / day)
    rest = sa.cast(column, sa.Numeric()) - days * day
    epoch: Element = sa.literal_column("timestamp '1970-01-01'")
    utc = (
        epoch
        + sa.cast(days, sa.Integer()) * sa.literal_column("interval '1 day'")
        + sa.cast(rest, sa.Integer()) * sa.literal_column("interval '1 millisecond'")
    )
    there = sa.func.timezone(sa.literal("UTC"), utc)
    return sa.func.timezone(sa.literal(zone_name), there, type_=sa.TIMESTAMP())
